package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Masks and values give every bit of the weights back, and files that lie are refused in one line. */
class BitmaskTest {
    private static final long SEED = 77;
    private static final String CONFIG = "{\"model_type\": \"llama\",   \"x\": 1e-05}\n";

    @TempDir Path folder;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Stored(TensorSpec spec, byte[] bytes) {}

    private static Stored sparse(
            Random random, String name, DType dtype, double sparsity, Long... shape) {
        TensorSpec spec = new TensorSpec(name, dtype, List.of(shape));
        int size = dtype.bits() / 8;
        byte[] bytes = new byte[(int) spec.bytes()];
        random.nextBytes(bytes);
        for (int i = 0; i < spec.elements(); i++) {
            int top = i * size + size - 1;
            if (random.nextDouble() < sparsity) {
                Arrays.fill(bytes, i * size, top + 1, (byte) 0);
                if (random.nextInt(20) == 0) {
                    bytes[top] = (byte) 0x80; // -0.0
                }
            } else if (random.nextInt(20) == 0) {
                Arrays.fill(bytes, i * size, top + 1, (byte) (i % 2 == 0 ? 0x7f : 0xff)); // NaN
            }
        }
        return new Stored(spec, bytes);
    }

    /** Widths beside every multiple of 8, every float type, and tensors that are to stay as they are. */
    private static List<Stored> awkward() {
        Random random = new Random(SEED);
        List<Stored> all = new ArrayList<>();
        DType[] types = {DType.F32, DType.BF16, DType.F16, DType.F64, DType.F8_E4M3, DType.F8_E8M0};
        for (DType type : types) {
            for (long columns : new long[] {1, 7, 8, 9, 31, 65}) {
                String name = type + "." + columns;
                all.add(sparse(random, name, type, 0.7, 1 + random.nextLong(9), columns));
            }
        }
        all.add(sparse(random, "empty", DType.F32, 1, 3L, 13L));
        all.add(sparse(random, "full", DType.F32, 0, 3L, 13L));
        all.add(sparse(random, "vector", DType.F32, 0.9, 40L));
        all.add(sparse(random, "cube", DType.F32, 0.9, 2L, 3L, 4L));
        all.add(sparse(random, "ids", DType.I64, 0.9, 5L, 4L));
        all.add(sparse(random, "none", DType.F32, 0, 0L, 4L));
        all.add(sparse(random, "empty.bitmask.values", DType.F32, 0.9, 4L, 40L));
        return all;
    }

    private static void write(Path folder, List<Stored> tensors) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), CONFIG);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{}");
        write(folder.resolve("model.safetensors"), tensors, Map.of());
    }

    private static void write(Path file, List<Stored> tensors, Map<String, String> metadata) {
        List<TensorSpec> plan = tensors.stream().map(Stored::spec).toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, metadata)) {
            for (Stored tensor : tensors) {
                MemorySegment bytes = MemorySegment.ofArray(tensor.bytes());
                writer.writeBytes(tensor.spec().name(), bytes);
            }
            writer.commit();
        }
    }

    @Test
    void everyBitComesBack() throws IOException {
        Path dense = folder.resolve("dense");
        Path packed = folder.resolve("packed");
        Path again = folder.resolve("again");
        Path expanded = folder.resolve("expanded");
        List<Stored> tensors = awkward();
        write(dense, tensors);
        try (Checkpoint model = Checkpoint.open(dense)) {
            var result = BitmaskWriter.write(model, packed, Progress.SILENT);
            assertThat(result.after()).isLessThan(result.before());
            assertThat(result.packed()).isGreaterThan(20);
        }
        assertThat(packed.resolve("config.json")).hasContent(CONFIG);
        assertThat(packed.resolve("tokenizer_config.json")).exists();
        assertThat(packed.resolve("model.safetensors")).doesNotExist();
        try (Checkpoint model = Checkpoint.open(packed);
                PointerScope scope = new PointerScope()) {
            assertThat(model.tensors()).hasSize(tensors.size());
            assertThat(model.isConverted("full")).isFalse();
            assertThat(model.isConverted("vector")).isFalse();
            for (Stored tensor : tensors) {
                TensorSpec spec = tensor.spec();
                assertThat(model.shape(spec.name()))
                        .containsExactly(spec.shape().toArray(new Long[0]));
                assertThat(model.dtype(spec.name())).isEqualTo(spec.dtype());
                assertThat(
                                Tensors.segment(model.tensor(spec.name()))
                                        .toArray(ValueLayout.JAVA_BYTE))
                        .as("%s, seed %d", spec.name(), SEED)
                        .isEqualTo(tensor.bytes());
                model.unload(spec.name());
            }
            assertThat(model.bytesByType()).containsKey("bitmask");
            BitmaskWriter.write(model, again, Progress.SILENT);
            try (CheckpointWriter writer = CheckpointWriter.create(model, expanded, null)) {
                writer.commit();
            }
        }
        assertThat(again.resolve(BitmaskFile.NAME))
                .hasSameBinaryContentAs(packed.resolve(BitmaskFile.NAME));
        assertThat(expanded.resolve("model.safetensors"))
                .hasSameBinaryContentAs(dense.resolve("model.safetensors"));
        assertThat(expanded.resolve("config.json")).hasContent(CONFIG);
    }

    @Test
    void theBytesAreThoseOfTheDocument() throws IOException {
        Path dense = folder.resolve("dense");
        float[] values = {0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, -0f, 0, 0, 0, 0, 0};
        byte[] bytes = MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_BYTE);
        write(dense, List.of(new Stored(new TensorSpec("w", DType.F32, List.of(2L, 9L)), bytes)));
        Path packed = folder.resolve("packed");
        try (Checkpoint model = Checkpoint.open(dense)) {
            assertThat(BitmaskWriter.write(model, packed, Progress.SILENT))
                    .isEqualTo(new BitmaskWriter.Result(1, 72, 16));
        }
        try (SafetensorsFile file = SafetensorsFile.open(packed.resolve(BitmaskFile.NAME))) {
            assertThat(file.metadata())
                    .containsEntry("espalier.bitmask", "{\"version\":1,\"shapes\":{\"w\":[2,9]}}");
            assertThat(file.tensors().get("w.bitmask"))
                    .extracting(TensorInfo::shape)
                    .isEqualTo(List.of(2L, 2L));
            assertThat(file.segment("w.bitmask").toArray(ValueLayout.JAVA_BYTE))
                    .containsExactly(0b10, 1, 0b1000, 0);
            assertThat(file.segment("w.values").toArray(ValueLayout.JAVA_FLOAT_UNALIGNED))
                    .containsExactly(1, 2, -0f);
        }
    }

    private void refused(String metadata, byte[] mask, List<Long> shape, int values, String message)
            throws IOException {
        List<Stored> tensors = new ArrayList<>();
        if (shape.size() == 2) {
            tensors.add(new Stored(new TensorSpec("w.bitmask", DType.U8, shape), mask));
        }
        if (values >= 0) {
            TensorSpec spec = new TensorSpec("w.values", DType.F32, List.of((long) values));
            tensors.add(new Stored(spec, new byte[4 * values]));
        }
        tensors.add(new Stored(new TensorSpec("v", DType.F32, List.of(1L)), new byte[4]));
        Map<String, String> entries = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            entries.put(BitmaskFile.KEY, metadata);
        }
        Files.writeString(folder.resolve("config.json"), CONFIG);
        write(folder.resolve(BitmaskFile.NAME), tensors, entries);
        assertThatThrownBy(
                        () -> {
                            try (Checkpoint model = Checkpoint.open(folder)) {
                                model.tensor("w");
                            }
                        })
                .isInstanceOf(UserError.class)
                .hasMessageContaining(BitmaskFile.NAME)
                .hasMessageContaining(message)
                .message()
                .doesNotContain("\n");
    }

    private static String shapes(String shape) {
        return "{\"version\": 1, \"shapes\": {\"w\": " + shape + "}}";
    }

    @Test
    void filesThatLieAreRefused() throws IOException {
        byte[] mask = {3, 1, 0, 0};
        List<Long> two = List.of(2L, 2L);
        refused(shapes("[2, 9]"), mask, two, 4, "3 bits set but 4 values");
        refused(shapes("[2, 9]"), mask, two, 2, "3 bits set but 2 values");
        refused(shapes("[2, 9]"), new byte[] {1, 2, 0, 0}, two, 2, "beyond the last of its 9");
        refused(shapes("[2, 17]"), mask, two, 3, "mask of shape [2, 2] instead of [2, 3]");
        refused(shapes("[3, 9]"), mask, two, 3, "mask of shape [2, 2] instead of [3, 2]");
        refused(
                shapes("[4611686018427387904, 9223372036854775807]"),
                mask,
                two,
                3,
                "instead of [4611686018427387904, 1152921504606846976]");
        refused(shapes("[2, 9223372036854775808]"), mask, two, 3, "is no matrix");
        refused(shapes("[2, -9]"), mask, two, 3, "is no matrix");
        refused(shapes("[2.5, 9]"), mask, two, 3, "is no matrix");
        refused(shapes("[2, 9, 1]"), mask, two, 3, "is no matrix");
        refused(shapes("\"x\""), mask, two, 3, "is no matrix");
        refused(shapes("[2, 9]"), mask, List.of(), 3, "no mask 'w.bitmask'");
        refused(shapes("[2, 9]"), mask, two, -1, "no values 'w.values'");
        refused("", mask, two, 3, "no metadata espalier.bitmask");
        refused("{", mask, two, 3, "is not JSON");
        refused("[]", mask, two, 3, "no metadata espalier.bitmask");
        refused("{\"version\": 2, \"shapes\": {}}", mask, two, 3, "version 2");
        refused(
                "{\"version\": 1, \"shapes\": {\"w\": [2, 9], \"v\": [1, 1]}}",
                mask,
                two,
                3,
                "'v' is stored twice");
    }

    @Test
    void aTruncatedFileIsRefused() throws IOException {
        Path dense = folder.resolve("dense");
        write(dense, awkward());
        Path packed = folder.resolve("packed");
        try (Checkpoint model = Checkpoint.open(dense)) {
            BitmaskWriter.write(model, packed, Progress.SILENT);
        }
        Path file = packed.resolve(BitmaskFile.NAME);
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
        assertThatThrownBy(() -> Checkpoint.open(packed))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(BitmaskFile.NAME);
    }
}
