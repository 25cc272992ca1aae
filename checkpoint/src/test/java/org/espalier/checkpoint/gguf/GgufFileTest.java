package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading GGUF files, and one test per way they can be wrong. */
class GgufFileTest {
    private static final long FAR = 1L << 40;

    @TempDir Path folder;

    /** A file with a value of every kind and two tensors. */
    private static GgufBuilder small() {
        return new GgufBuilder()
                .text("general.architecture", "llama")
                .u32("n", -1)
                .f32("epsilon", 1e-5f)
                .flag("yes", true)
                .raw("minus", 1, (byte) -3)
                .texts("names", List.of("a", "", "\u2581the"))
                .i32s("counts", 1, -2, 3)
                .f32s("scores", 0.1f, -1e30f)
                .floats("odd", GgufBuilder.counting(3), 3)
                .floats("matrix", GgufBuilder.counting(6), 3, 2);
    }

    private GgufFile open(byte[] bytes) {
        return GgufFile.open(GgufBuilder.write(folder, "x.gguf", bytes));
    }

    private void refused(byte[] bytes, String... parts) {
        Path path = GgufBuilder.write(folder, "x.gguf", bytes);
        assertThatThrownBy(() -> GgufFile.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(parts)
                .hasMessageContaining("x.gguf")
                .message()
                .doesNotContain("\n");
    }

    private void refused(Consumer<GgufBuilder> mistake, String... parts) {
        GgufBuilder builder = new GgufBuilder();
        mistake.accept(builder);
        refused(builder.bytes(), parts);
    }

    @Test
    void valuesAndTensorsAreRead() {
        for (int version = 2; version <= 3; version++) {
            GgufBuilder builder = small();
            builder.version = version;
            try (GgufFile file = open(builder.bytes());
                    PointerScope scope = new PointerScope()) {
                assertThat(file.version()).isEqualTo(version);
                assertThat(file.metadata())
                        .containsEntry("general.architecture", new GgufValue.Text("llama"))
                        .containsEntry("n", new GgufValue.Whole(4294967295L, GgufValueType.U32))
                        .containsEntry("epsilon", new GgufValue.Real(1e-5, GgufValueType.F32))
                        .containsEntry("yes", new GgufValue.Flag(true))
                        .containsEntry("minus", new GgufValue.Whole(-3, GgufValueType.I8))
                        .containsEntry("names", new GgufValue.Texts(List.of("a", "", "\u2581the")))
                        .containsEntry(
                                "counts",
                                new GgufValue.Wholes(List.of(1L, -2L, 3L), GgufValueType.I32))
                        .containsEntry(
                                "scores",
                                new GgufValue.Reals(List.of(0.1, -1e30), GgufValueType.F32));
                assertThat(file.tensors().keySet()).containsExactly("odd", "matrix");
                assertThat(Tensors.shape(file.tensor("matrix"))).containsExactly(2, 3);
                assertThat(Tensors.toFloats(file.tensor("matrix")))
                        .containsExactly(GgufBuilder.counting(6));
                assertThat(file.tensor("matrix").data_ptr().address())
                        .as("no copy")
                        .isEqualTo(file.segment("matrix").address());
            }
        }
    }

    @Test
    void aTensorThatDoesNotLieAlignedIsCopied() {
        GgufBuilder builder = new GgufBuilder();
        builder.alignment = 1;
        builder.u32("general.alignment", 1)
                .tensor("byte", GgufType.I8, new byte[1], 1)
                .tensor("pad", GgufType.I8, new byte[1], 1)
                .floats("floats", GgufBuilder.counting(5), 5);
        try (GgufFile file = open(builder.bytes());
                PointerScope scope = new PointerScope()) {
            assertThat(Tensors.toFloats(file.tensor("floats")))
                    .containsExactly(GgufBuilder.counting(5));
            assertThatThrownBy(() -> file.tensor("byte"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("is I8, which can be listed but not computed");
            assertThatThrownBy(() -> file.tensor("none"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("no tensor 'none'");
        }
    }

    @Test
    void aFileWithoutTensorsIsRead() {
        try (GgufFile file = open(new GgufBuilder().bytes())) {
            assertThat(file.metadata()).isEmpty();
            assertThat(file.tensors()).isEmpty();
        }
    }

    @Test
    void noSuchFile() {
        assertThatThrownBy(() -> GgufFile.open(folder.resolve("none.gguf")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("there is no file");
        assertThatThrownBy(() -> GgufFile.open(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("is not a file");
    }

    @Test
    void aLinkIntoNowhereIsNamed() throws Exception {
        Path link =
                Files.createSymbolicLink(folder.resolve("l.gguf"), folder.resolve("blobs/none"));
        assertThatThrownBy(() -> GgufFile.open(link))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("is a link to");
    }

    @Test
    void magicAndVersion() {
        refused(new byte[0], "is empty");
        refused(new byte[] {'G', 'G', 'M', 'L', 3, 0, 0, 0}, "does not begin with 'GGUF'");
        refused(new byte[] {'G', 'G', 'U', 'F', 3}, "in the middle of the version");
        refused(builder -> builder.version = 1, "version 1;", "convert it again");
        refused(builder -> builder.version = 4, "version 4;");
        refused(builder -> builder.version = 3 << 24, "big-endian");
    }

    @Test
    void counts() {
        refused(builder -> builder.declaredTensors = FAR, "declares 1099511627776 tensors");
        refused(builder -> builder.declaredEntries = FAR, "declares 1099511627776 metadata");
        byte[] negative = new GgufBuilder().bytes();
        negative[15] = (byte) 0x80;
        refused(negative, "declares -9223372036854775808 tensors");
    }

    @Test
    void keys() {
        refused(builder -> builder.u32("", 1), "empty key");
        refused(builder -> builder.u32("k", 1).u32("k", 2), "'k' twice");
        byte[] invalid = new GgufBuilder().u32("kk", 1).bytes();
        invalid[32] = (byte) 0xC3;
        refused(invalid, "not valid UTF-8");
    }

    @Test
    void strings() {
        byte[] longer = new GgufBuilder.Bytes().i64(FAR).toByteArray();
        refused(builder -> builder.raw("s", 8, longer), "'s' of 1099511627776 bytes, more than");
        byte[] beyond = new GgufBuilder.Bytes().i64(1 << 20).toByteArray();
        refused(builder -> builder.raw("s", 8, beyond), "in the middle of metadata entry 's'");
    }

    @Test
    void valueTypes() {
        refused(builder -> builder.raw("v", 13), "unknown value type 13 in metadata entry 'v'");
        refused(builder -> builder.raw("v", -1), "unknown value type -1");
        refused(builder -> builder.raw("v", 7, (byte) 2), "the byte 2 for a true or false");
    }

    @Test
    void arrays() {
        byte[] nested = new GgufBuilder.Bytes().i32(9).i64(0).toByteArray();
        refused(builder -> builder.raw("a", 9, nested), "array of arrays");
        byte[] huge = new GgufBuilder.Bytes().i32(0).i64(FAR).toByteArray();
        refused(builder -> builder.raw("a", 9, huge), "array of 1099511627776 elements");
        byte[] beyond = new GgufBuilder.Bytes().i32(8).i64(1 << 29).toByteArray();
        refused(builder -> builder.raw("a", 9, beyond), "536870912 elements", "bytes left");
    }

    @Test
    void alignment() {
        refused(builder -> builder.u32("general.alignment", 48), "of 48, which is no power of two");
        refused(builder -> builder.u32("general.alignment", 0), "of 0, which is no power of two");
        refused(builder -> builder.text("general.alignment", "32"), "no unsigned 32-bit integer");
    }

    @Test
    void tensorNames() {
        byte[] none = new byte[0];
        refused(
                builder ->
                        builder.tensor("t", GgufType.F32, none, 0)
                                .tensor("t", GgufType.F32, none, 0),
                "'t' twice");
        refused(
                builder -> builder.tensor("n".repeat(64), GgufType.F32, none, 0),
                "more than 63 bytes");
    }

    @Test
    void shapes() {
        byte[] none = new byte[0];
        refused(builder -> builder.tensor("t", GgufType.F32, none, 1, 1, 1, 1, 1), "with 5 axes");
        refused(builder -> builder.tensor("t", GgufType.F32, none, -4), "negative extent -4");
        refused(
                builder -> builder.tensor("t", GgufType.F32, none, FAR, FAR),
                "more bytes than 64 bits");
        refused(
                builder -> builder.tensor("t", GgufType.F32, none, 1L << 62),
                "more bytes than 64 bits");
        refused(builder -> builder.tensor("t", GgufType.Q4_K, none, 128), "rows of 128", "Q4_K");
    }

    @Test
    void otherFilesUnderTheNameAreNamed() {
        refused(ascii("tjgg\3\0\0\0"), "is a ggjt file", "2023");
        refused(ascii("fmgg"), "is a ggmf file");
        refused(ascii("lmgg"), "is a ggml file");
        refused(ascii("algg"), "old LoRA adapter");
        refused(ascii("PK\3\4 and more"), "zip archive");
        refused(ascii("\20\1\0\0\0\0\0\0{\"a\""), "is a safetensors file", "give the folder");
        refused(ascii("hello"), "does not begin with 'GGUF' but with 'hell'");
        refused(ascii("version https://git-lfs.github.com/spec/v1\nsize 12\n"), "git-lfs pointer");
        refused(ascii("<!DOCTYPE html><html>"), "web page");
        Path piece = GgufBuilder.write(folder, "m.gguf-split-b", ascii("whatever"));
        assertThatThrownBy(() -> GgufFile.open(piece))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("join all pieces with cat");
        byte[] whole = small().bytes();
        byte[] half = Arrays.copyOf(whole, whole.length - 12);
        Path first = GgufBuilder.write(folder, "m.gguf.part1of2", half);
        assertThatThrownBy(() -> GgufFile.open(first))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("is cut off")
                .hasMessageContaining("join all pieces with cat");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void aFileIsKnownByItsContentToo() {
        assertThat(GgufFile.isNamed(folder.resolve("none.GGUF"))).isTrue();
        assertThat(GgufFile.isNamed(folder.resolve("m.gguf-split-a"))).isTrue();
        assertThat(GgufFile.isNamed(folder.resolve("m.gguf.part2of3"))).isTrue();
        assertThat(GgufFile.isNamed(folder.resolve("none"))).isFalse();
        assertThat(GgufFile.isNamed(folder)).isFalse();
        assertThat(GgufFile.isNamed(GgufBuilder.write(folder, "sha256-77", small().bytes())))
                .isTrue();
        assertThat(GgufFile.isNamed(GgufBuilder.write(folder, "text", ascii("GGU")))).isFalse();
    }

    /** Removed types and types that came later have a number and a place, which is enough to list them. */
    @Test
    void tensorsOfOtherTypesAreListed() {
        byte[] some = new byte[40];
        int[] ids = {4, 31, 38, 40, 1000};
        GgufBuilder builder = new GgufBuilder().floats("before", GgufBuilder.counting(3), 3);
        for (int id : ids) {
            builder.tensor("t" + id, id, some, 32 + 64L * Arrays.binarySearch(ids, id), 7, 5);
        }
        try (GgufFile file = open(builder.bytes());
                PointerScope scope = new PointerScope()) {
            assertThat(file.tensors().values())
                    .extracting(GgufTensor::typeName)
                    .containsExactly("F32", "Q4_2", "Q4_0_4_4", "IQ4_NL_8_8", "NVFP4", "type 1000");
            assertThat(file.segment("t31").byteSize()).isEqualTo(64);
            assertThat(file.tensors().values())
                    .last()
                    .extracting(GgufTensor::shape)
                    .isEqualTo(List.of(5L, 7L));
            assertThatThrownBy(() -> file.tensor("t1000"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("is type 1000, which can be listed but not computed");
        }
        byte[] none = new byte[0];
        refused(builder1 -> builder1.tensor("t", -1, none, 0, 0), "of the type -1");
        refused(
                file -> file.tensor("a", 40, some, 0, 7).tensor("b", 0, some, 8, 1),
                "'b' at offset 8, before or within 'a'");
        refused(
                file -> file.tensor("a", 40, some, 0, 7).tensor("b", 0, some, 1L << 62, 1),
                "is cut off");
        refused(
                file -> file.tensor("a", 40, some, 0, 7).tensor("b", 0, some, -32, 1),
                "before or within 'a'");
    }

    @Test
    void offsetsAndEnd() {
        byte[] four = new byte[4];
        refused(builder -> builder.tensor("t", 0, four, 32, 1), "at offset 32", "end at 0");
        refused(
                builder -> builder.tensor("a", 0, four, 0, 1).tensor("b", 0, four, 4, 1),
                "'b' at offset 4",
                "end at 32");
        refused(
                builder -> builder.tensor("t", GgufType.F32, four, 1000),
                "is cut off: it has",
                "so 3968 are missing from tensor 't' on");
        byte[] cut = small().bytes();
        // 24 bytes of data, padded with 8.
        refused(Arrays.copyOf(cut, cut.length - 9), "so 1 are missing from tensor 'matrix' on");
        refused(Arrays.copyOf(cut, cut.length - 60), "so 52 are missing from tensor 'odd' on");
    }

    @Test
    void everyCutIsRefused() {
        byte[] whole = small().bytes();
        for (int length = 0; length < whole.length - 8; length++) {
            refused(Arrays.copyOf(whole, length), "x.gguf");
        }
    }

    @Test
    void mutatedFilesAreRefusedOrOpened() throws Exception {
        long seed = 20_260_301L;
        Random random = new Random(seed);
        byte[] right = small().bytes();
        int opened = 0;
        for (int round = 0; round < 2000; round++) {
            byte[] bytes = right.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                // Most of the file is header; half of the mutations write an extreme byte.
                bytes[random.nextInt(bytes.length)] =
                        (byte)
                                (random.nextBoolean()
                                        ? random.nextInt(256)
                                        : random.nextBoolean() ? 0xFF : 0x7F);
            }
            Path path = folder.resolve("fuzz.gguf");
            Files.write(path, bytes);
            try (GgufFile file = GgufFile.open(path);
                    PointerScope scope = new PointerScope()) {
                file.tensors().values().stream()
                        .filter(tensor -> tensor.type().isReadable())
                        .forEach(tensor -> Tensors.toFloats(file.tensor(tensor.name())));
                opened++;
            } catch (UserError refused) {
                assertThat(refused.getMessage()).as("seed %d, round %d", seed, round).isNotBlank();
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", round " + round, e);
            }
        }
        assertThat(opened).as("some mutations hit values only").isBetween(1, 1999);
    }
}
