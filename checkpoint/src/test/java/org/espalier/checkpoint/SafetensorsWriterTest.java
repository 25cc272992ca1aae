package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir Path folder;

    private static final String REFERENCE_HEADER =
            "{\"__metadata__\":{\"format\":\"pt\"},"
                    + "\"z\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                    + "\"a/b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]},"
                    + "\"é\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[20,28]},"
                    + "\"\uE000\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[28,28]},"
                    + "\"😀\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[28,32]},"
                    + "\"h\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[32,38]},"
                    + "\"f\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[38,40]},"
                    + "\"q\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[40,42]},"
                    + "\"m\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[42,45]}}";

    @Test
    void rewritingAReferenceFileInAnyOrderGivesItsBytes() throws IOException {
        int padding = (8 - REFERENCE_HEADER.getBytes(StandardCharsets.UTF_8).length % 8) % 8;
        byte[] reference = Bytes.file(REFERENCE_HEADER + " ".repeat(padding), 45);
        Path original = Bytes.write(folder, "a.safetensors", reference);
        Path copy = folder.resolve("b.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(original)) {
            List<TensorSpec> plan = new ArrayList<>();
            file.tensors()
                    .values()
                    .forEach(t -> plan.add(new TensorSpec(t.name(), t.dtype(), t.shape())));
            Collections.shuffle(plan, new Random(7));
            try (SafetensorsWriter writer = SafetensorsWriter.create(copy, plan, file.metadata())) {
                Collections.shuffle(plan, new Random(8));
                for (TensorSpec spec : plan) {
                    writer.writeBytes(spec.name(), file.segment(spec.name()));
                }
                assertThat(copy).doesNotExist();
                writer.commit();
            }
        }
        assertThat(Files.readAllBytes(copy)).isEqualTo(reference);
    }

    @Test
    void float32IsRoundedToNearestEvenInNarrowTypes() {
        // 1 + 2^-11 and 1 + 3 * 2^-11 lie halfway between two float16; 1 + 2^-8, 1 + 3 * 2^-8
        // between two bfloat16.
        float[] values = {
            1 + 0x1p-11f,
            1 + 3 * 0x1p-11f,
            1 + 0x1p-8f,
            1 + 3 * 0x1p-8f,
            -65504f,
            Float.NaN,
            Float.NEGATIVE_INFINITY
        };
        assertThat(roundTrip(values, DType.F16))
                .containsExactly(
                        1,
                        1 + 2 * 0x1p-10f,
                        1 + 0x1p-8f,
                        1 + 3 * 0x1p-8f,
                        -65504f,
                        Float.NaN,
                        Float.NEGATIVE_INFINITY);
        assertThat(roundTrip(values, DType.BF16))
                .containsExactly(
                        1, 1, 1, 1 + 2 * 0x1p-7f, -65536f, Float.NaN, Float.NEGATIVE_INFINITY);
        assertThat(roundTrip(values, DType.F32)).isEqualTo(values);
    }

    @Test
    void aFiniteValueBeyondFloat16IsRefusedByName() {
        assertThatThrownBy(() -> roundTrip(new float[] {1, 65520f}, DType.F16))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("'w'")
                .hasMessageContaining("F16");
        assertThatThrownBy(() -> roundTrip(new float[] {Float.MAX_VALUE}, DType.BF16))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("BF16");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void viewsAreWrittenInRowMajorOrder() {
        Path path = folder.resolve("view.safetensors");
        try (PointerScope scope = new PointerScope();
                SafetensorsWriter writer =
                        SafetensorsWriter.create(
                                path,
                                List.of(new TensorSpec("w", DType.F32, List.of(3L, 2L))),
                                Map.of())) {
            writer.write("w", Tensors.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).t());
            writer.commit();
        }
        try (SafetensorsFile file = SafetensorsFile.open(path);
                PointerScope scope = new PointerScope()) {
            assertThat(Tensors.toFloats(file.tensor("w"))).containsExactly(1, 4, 2, 5, 3, 6);
        }
    }

    @Test
    void manyThreadsMayWriteAtOnce() throws Exception {
        Path path = folder.resolve("many.safetensors");
        List<TensorSpec> plan = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            plan.add(new TensorSpec("w" + i, DType.U8, List.of(1000L + i)));
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, plan, Map.of());
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                byte[] bytes = new byte[1000 + i];
                Arrays.fill(bytes, (byte) i);
                String name = "w" + i;
                done.add(
                        threads.submit(
                                () -> writer.writeBytes(name, MemorySegment.ofArray(bytes))));
            }
            for (Future<?> future : done) {
                future.get();
            }
            writer.commit();
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            for (int i = 0; i < 64; i++) {
                assertThat(file.segment("w" + i).toArray(ValueLayout.JAVA_BYTE))
                        .hasSize(1000 + i)
                        .containsOnly(i);
            }
        }
    }

    @Test
    void aMissingTensorAnUnknownNameAndAWrongSizeAreRefused() {
        Path path = folder.resolve("w.safetensors");
        List<TensorSpec> plan =
                List.of(
                        new TensorSpec("a", DType.F32, List.of(2L)),
                        new TensorSpec("b", DType.U8, List.of(1L)));
        try (PointerScope scope = new PointerScope();
                SafetensorsWriter writer = SafetensorsWriter.create(path, plan, Map.of())) {
            Tensor tensor = Tensors.floats(new float[] {1, 2}, 2);
            writer.write("a", tensor);
            assertThatThrownBy(writer::commit).hasMessageContaining("b first");
            assertThatThrownBy(() -> writer.write("c", tensor)).hasMessageContaining("c is not");
            assertThatThrownBy(() -> writer.write("a", tensor.view(1, 2)))
                    .hasMessageContaining("[1, 2]");
            assertThatThrownBy(() -> writer.writeBytes("b", MemorySegment.ofArray(new byte[2])))
                    .hasMessageContaining("1 bytes");
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aDiskThatLosesTheFileIsOneClearLine() throws IOException {
        Path path = folder.resolve("w.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, List.of(), Map.of())) {
            try (Stream<Path> hidden = Files.list(folder)) {
                Files.delete(hidden.findFirst().orElseThrow());
            }
            assertThatThrownBy(writer::commit)
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("w.safetensors")
                    .hasMessageContaining("no such file");
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void aFolderThatIsNotThereIsOneClearLine() {
        assertThatThrownBy(() ->
                        SafetensorsWriter.create(
                                folder.resolve("no/w.safetensors"), List.of(), Map.of()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("cannot write")
                .hasMessageContaining("no such file");
    }

    private float[] roundTrip(float[] values, DType dtype) {
        Path path = folder.resolve("w.safetensors");
        TensorSpec spec = new TensorSpec("w", dtype, List.of((long) values.length));
        try (PointerScope scope = new PointerScope();
                SafetensorsWriter writer =
                        SafetensorsWriter.create(path, List.of(spec), Map.of())) {
            writer.write("w", Tensors.floats(values, values.length));
            writer.commit();
        }
        try (SafetensorsFile file = SafetensorsFile.open(path);
                PointerScope scope = new PointerScope()) {
            Tensor tensor = file.tensor("w");
            assertThat(tensor.scalar_type().intern())
                    .isEqualTo(dtype.scalarType().orElse(ScalarType.Undefined));
            return Tensors.toFloats(tensor);
        }
    }
}
