package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScaledTensorsTest {
    private static final int ROWS = 5;
    private static final int COLUMNS = 6;
    private static final String NAME = "model.layers.0.mlp.up_proj.weight";

    @TempDir Path folder;

    /** A tensor to write: its type, its shape, and the numbers that it counts up from. */
    private record Part(DType type, List<Long> shape, float first, float step) {
        float[] values() {
            int count = (int) new TensorSpec("x", type, shape).elements();
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = first + step * i;
            }
            return values;
        }
    }

    static Stream<Arguments> layouts() {
        return Stream.of(
                Arguments.of("_scale", List.of(), ROWS, COLUMNS, "{}"),
                Arguments.of("_scale", List.of(1L), ROWS, COLUMNS, "{}"),
                Arguments.of("_scale", List.of(5L), 1, COLUMNS, "{}"),
                Arguments.of("_scale", List.of(5L, 1L), 1, COLUMNS, "{}"),
                Arguments.of("_scale", List.of(5L, 3L), 1, 2, "{}"),
                Arguments.of("_scale", List.of(1L, 3L), ROWS, 2, "{}"),
                Arguments.of(
                        "_scale_inv", List.of(3L, 2L), 2, 4, "{\"weight_block_size\": [2, 4]}"),
                Arguments.of(
                        "_scale",
                        List.of(2L, 2L),
                        4,
                        4,
                        "{\"config_groups\": {\"group_0\": {\"weights\": {\"block_structure\": [4, 4]}}}}"));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void aNumberTimesItsScaleIsTheWeight(
            String ending, List<Long> shape, int blockRows, int blockColumns, String record) {
        for (DType type : List.of(DType.F8_E4M3, DType.F8_E5M2, DType.I8)) {
            Part codes =
                    new Part(
                            type,
                            List.of((long) ROWS, (long) COLUMNS),
                            type == DType.I8 ? -9 : 1,
                            0);
            Part scales = new Part(DType.F32, shape, 0.25f, 0.5f);
            write(
                    "{\"torch_dtype\": \"float32\", \"quantization_config\": " + record + "}",
                    Map.of(NAME, codes, NAME + ending, scales));
            float[] expected = new float[ROWS * COLUMNS];
            int perRow = (COLUMNS + blockColumns - 1) / blockColumns;
            for (int i = 0; i < expected.length; i++) {
                int row = i / COLUMNS / blockRows;
                int column = i % COLUMNS / blockColumns;
                expected[i] = codes.values()[i] * scales.values()[row * perRow + column];
            }
            try (Checkpoint checkpoint = Checkpoint.open(folder);
                    PointerScope scope = new PointerScope()) {
                checkpoint.requireNumbers();
                assertThat(checkpoint.tensors().keySet()).containsExactly(NAME);
                assertThat(checkpoint.dtype(NAME)).isEqualTo(DType.F32);
                assertThat(Tensors.toFloats(checkpoint.tensor(NAME))).containsExactly(expected);
                assertThat(checkpoint.config().has("quantization_config")).isFalse();
                assertThat(checkpoint.bytesByType()).containsKeys(type.name(), "F32");
                assertThat(checkpoint.notes()).anyMatch(note -> note.contains("with their scales"));
            }
        }
    }

    /** The block of 128 need not be named: 130 columns have two scales, of 128 and of 2. */
    @Test
    void theUsualBlockIsUnderstood() {
        Part codes = new Part(DType.F8_E4M3, List.of(2L, 130L), 2, 0);
        write(
                "{}",
                Map.of(
                        NAME,
                        codes,
                        NAME + "_scale_inv",
                        new Part(DType.F32, List.of(1L, 2L), 1, 3)));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                PointerScope scope = new PointerScope()) {
            float[] read =
                    Tensors.toFloats(
                            checkpoint
                                    .tensor(NAME)
                                    .to(org.bytedeco.pytorch.global.torch.ScalarType.Float));
            assertThat(checkpoint.dtype(NAME)).isEqualTo(DType.BF16);
            assertThat(read[127]).isEqualTo(2);
            assertThat(read[128]).isEqualTo(8);
            assertThat(read[258]).isEqualTo(8);
        }
    }

    @Test
    void scalesThatFitNothingLeaveCodes() {
        write(
                "{}",
                Map.of(
                        NAME,
                        new Part(DType.F8_E4M3, List.of(5L, 6L), 1, 0),
                        NAME + "_scale",
                        new Part(DType.F32, List.of(4L, 6L), 1, 0)));
        refused("weights with scales", NAME + "_scale");
    }

    @ParameterizedTest
    @ValueSource(strings = {"_zero_point", "_scale_2"})
    void moreThanAProductIsRefused(String further) {
        Part one = new Part(DType.F32, List.of(1L), 1, 0);
        write(
                "{}",
                Map.of(
                        NAME,
                        new Part(DType.I8, List.of(5L, 6L), 1, 0),
                        NAME + "_scale",
                        one,
                        NAME + further,
                        one));
        refused("codes and not weights");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "qweight|AWQ or GPTQ",
                "g_idx|GPTQ",
                "weight_packed|compressed-tensors",
                "weight.absmax|bitsandbytes, 4 bits",
                "weight.quant_state.bitsandbytes__nf4|bitsandbytes, 4 bits",
                "SCB|bitsandbytes, 8 bits",
                "weight_scale_2|NVFP4",
                "weight_quantizer._amax|NVIDIA ModelOpt",
                "scales|groups of codes",
                "weight_scale_inv|weights with scales",
                "W_q|HQQ",
                "trellis|EXL3",
                "weight_scales|EETQ",
                "scale_weight|scaled FP8"
            })
    void aFormatIsKnownByItsTensors(String line) {
        String[] parts = line.split("\\|");
        String shown = "model.layers.0.mlp.up_proj." + parts[0];
        Part plain = new Part(DType.F32, List.of(5L, 6L), 1, 0);
        write("{}", Map.of(NAME, plain, shown, new Part(DType.F32, List.of(3L), 1, 0)));
        refused(parts[1], "'" + shown + "'");
        write(
                "{\"quantization_config\": {\"quant_method\": \"luck\", \"format\": \"dice\"}}",
                Map.of(NAME, plain, shown, new Part(DType.F32, List.of(3L), 1, 0)));
        refused("luck dice", "'" + shown + "'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"quantization_config\": {\"quant_method\": \"gptq\"}}",
                "{\"text_config\": {\"quantization_config\": {\"quant_method\": \"fp8\"}}}",
                "{\"quantization\": {\"bits\": 4}}"
            })
    void plainWeightsAreReadWhateverIsSaid(String config) {
        write(config, Map.of(NAME, new Part(DType.F16, List.of(5L, 6L), 1, 1)));
        Bytes.write(folder, "quantize_config.json", "{\"bits\": 4}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            checkpoint.requireNumbers();
            assertThat(checkpoint.config().toString()).doesNotContain("quantization");
            assertThat(checkpoint.notes()).singleElement().asString().contains("read as they are");
            assertThat(checkpoint.leftOut()).contains("quantize_config.json");
        }
    }

    private void refused(String... reasons) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThatThrownBy(checkpoint::requireNumbers)
                    .isInstanceOf(UserError.class)
                    .hasMessageContainingAll(reasons);
        }
    }

    private void write(String config, Map<String, Part> parts) {
        Bytes.write(folder, "config.json", config);
        List<TensorSpec> plan =
                parts.entrySet().stream()
                        .map(entry ->
                                new TensorSpec(
                                        entry.getKey(),
                                        entry.getValue().type(),
                                        entry.getValue().shape()))
                        .toList();
        Map<String, Part> all = new LinkedHashMap<>(parts);
        try (SafetensorsWriter writer =
                        SafetensorsWriter.create(
                                folder.resolve("model.safetensors"), plan, Map.of());
                PointerScope scope = new PointerScope()) {
            all.forEach((name, part) -> {
                long[] shape = part.shape().stream().mapToLong(Long::longValue).toArray();
                if (part.type() == DType.I8) {
                    byte[] bytes = new byte[part.values().length];
                    for (int i = 0; i < bytes.length; i++) {
                        bytes[i] = (byte) part.values()[i];
                    }
                    writer.writeBytes(name, java.lang.foreign.MemorySegment.ofArray(bytes));
                } else {
                    writer.write(name, Tensors.floats(part.values(), shape));
                }
            });
            writer.commit();
        }
    }
}
