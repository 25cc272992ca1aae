package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The parts of a model as one, and what keeps them from being one. */
class GgufSplitTest {
    private static final int U16 = 2;

    @TempDir Path folder;

    /** A part as llama-gguf-split writes it; the first has the metadata. */
    private static GgufBuilder part(int number, int count, int tensors) {
        GgufBuilder builder = new GgufBuilder();
        if (number == 0) {
            builder.text("general.architecture", "llama").u32("llama.block_count", 3);
        }
        return builder.raw("split.no", U16, (byte) number, (byte) 0)
                .raw("split.count", U16, (byte) count, (byte) 0)
                .i32("split.tensors.count", tensors);
    }

    private static GgufBuilder part(int number) {
        return part(number, 3, 3).floats("t" + number, new float[] {number, number + 0.5f}, 2);
    }

    private Path write(GgufBuilder builder, int number) {
        return builder.write(folder, "m-0000%d-of-00003.gguf".formatted(number + 1));
    }

    private Path[] parts() {
        return new Path[] {write(part(0), 0), write(part(1), 1), write(part(2), 2)};
    }

    private static void refused(Path path, String... parts) {
        assertThatThrownBy(() -> GgufFile.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(parts)
                .message()
                .doesNotContain("\n");
    }

    @Test
    void anyPartOpensAll() {
        Path[] parts = parts();
        for (Path given : parts) {
            try (GgufFile file = GgufFile.open(given);
                    PointerScope scope = new PointerScope()) {
                assertThat(file.path()).isEqualTo(given);
                assertThat(file.paths()).containsExactly(parts);
                assertThat(file.metadata()).containsKey("llama.block_count");
                assertThat(file.tensors().keySet()).containsExactly("t0", "t1", "t2");
                for (int i = 0; i < 3; i++) {
                    assertThat(Tensors.toFloats(file.tensor("t" + i))).containsExactly(i, i + 0.5f);
                }
            }
        }
    }

    @Test
    void aSplitOfOneIsAWholeFile() {
        for (int count = 0; count < 2; count++) {
            Path path = part(0, count, 0).write(folder, "whole" + count + ".gguf");
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.paths()).containsExactly(path);
            }
        }
    }

    @Test
    void theFirstPartMayHaveNoTensors() {
        Path given = write(part(0, 2, 1), 0);
        Path first = folder.resolve("n-00001-of-00002.gguf");
        Path second = folder.resolve("n-00002-of-00002.gguf");
        assertThat(given.toFile().renameTo(first.toFile())).isTrue();
        part(1, 2, 1).floats("t", new float[] {1}, 1).write(folder, "n-00002-of-00002.gguf");
        try (GgufFile file = GgufFile.open(second)) {
            assertThat(file.tensors().keySet()).containsExactly("t");
        }
    }

    @Test
    void aMissingPartIsNamed() throws IOException {
        Path[] parts = parts();
        Files.delete(parts[1]);
        refused(parts[2], "part 3 of 3", "part 2 is missing", "put m-00002-of-00003.gguf beside");
        refused(parts[0], "part 2 is missing");
    }

    @Test
    void namesMustTellTheParts() {
        refused(part(1).write(folder, "x.gguf"), "part 2 of 3", "names back", "-00001-of-00003");
        refused(write(part(1), 2), "is part 2 of 3", "whatever its name says");
        refused(part(1).write(folder, "m-00002-of-00004.gguf"), "whatever its name says");
    }

    @Test
    void partsOfDifferentModelsAreRefused() {
        Path[] parts = parts();
        write(part(1, 2, 3).floats("t1", new float[2], 2), 1);
        refused(parts[0], "m-00002", "says it is part 2 of 2", "does not belong");
        write(part(1, 3, 4).floats("t1", new float[2], 2), 1);
        refused(parts[0], "part 2 of 3 with 4 tensors");
        write(part(1).floats("t0", new float[2], 2), 1);
        refused(parts[0], "has the tensor 't0'", "in m-00001-of-00003.gguf too");
        write(part(1).text("general.architecture", "gpt2"), 1);
        refused(parts[0], "another architecture");
        write(part(1).floats("more", new float[2], 2), 1);
        refused(parts[0], "have 4 tensors and not 3");
        Path whole = write(new GgufBuilder().floats("t1", new float[2], 2), 1);
        refused(parts[0], "says it is part 1 of 1");
        assertThat(whole).exists();
    }

    @Test
    void aPartThatIsDamagedIsNamedItself() throws IOException {
        Path[] parts = parts();
        byte[] bytes = Files.readAllBytes(parts[2]);
        Files.write(parts[2], java.util.Arrays.copyOf(bytes, bytes.length - 30));
        refused(parts[0], "m-00003-of-00003.gguf is cut off");
    }
}
