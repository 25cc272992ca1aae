package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One test per way a safetensors file can be wrong, named after the reference reader's errors where it has one. */
class HostileHeaderTest {
    @TempDir Path folder;

    @Test
    void headerTooSmall() {
        refused(new byte[0], "is empty (0 bytes)");
        refused(new byte[7], "only 7 bytes");
    }

    @Test
    void headerTooLarge() {
        refused(Bytes.withLength(100_000_001, bytes("{}"), new byte[0]), "more than the 100000000");
        refused(Bytes.withLength(-1, bytes("{}"), new byte[0]), "18446744073709551615 bytes");
    }

    @Test
    void invalidHeaderLength() {
        refused(Bytes.withLength(3, bytes("{}"), new byte[0]), "has only 2 after");
        refused(Bytes.withLength(100_000_000, bytes("{}"), new byte[0]), "has only 2 after");
    }

    @Test
    void headerOf100MegabytesNeedsTheHeapForIt() {
        Path path = folder.resolve("x.safetensors");
        long header = SafetensorsHeader.MAX_BYTES;
        assertThatThrownBy(() -> HeaderReader.checkLength(path, header, header + 8, 1L << 30))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("-Xmx");
        HeaderReader.checkLength(path, header, header + 8, 4L << 30);
    }

    @Test
    void aLongHeaderOfSpacesIsRead() {
        byte[] header = new byte[20_000_000];
        Arrays.fill(header, (byte) ' ');
        header[0] = '{';
        header[header.length - 1] = '}';
        assertThat(open(Bytes.file(header, new byte[0])).tensors()).isEmpty();
    }

    @Test
    void invalidHeader() {
        byte[] badUtf8 = bytes("{\"a?\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}");
        badUtf8[3] = (byte) 0xC3;
        refused(Bytes.file(badUtf8, new byte[1]), "not valid UTF-8");
        byte[] cutUtf8 = bytes("{}  ");
        cutUtf8[3] = (byte) 0xE2;
        refused(Bytes.file(cutUtf8, new byte[0]), "not valid UTF-8");
        refusedHeader(
                "{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                "surrogate");
    }

    @Test
    void invalidHeaderStart() {
        refusedHeader(" {}", "does not start with '{'");
        refusedHeader("", "does not start with '{'");
        refusedHeader("[]", "does not start with '{'");
    }

    @Test
    void invalidHeaderDeserialization() {
        refusedHeader("{", "no valid JSON");
        refusedHeader("{}{}", "more than one JSON value");
        refusedHeader("{} x", "no valid JSON");
        refusedHeader("{\"a\":NaN}", "no valid JSON");
        refusedHeader("{/* c */}", "no valid JSON");
        refusedHeader("{\"a\":1}", "'a' is not described by an object");
        refusedHeader("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", "lacks one of");
        refusedHeader(tensor("\"X8\"", "[1]", "[0,1]"), "the type 'X8', which is unknown here");
        refusedHeader(tensor("8", "[1]", "[0,1]"), "which is unknown here");
        refusedHeader(tensor("\"U8\"", "1", "[0,1]"), "shape that is not a list");
        refusedHeader(tensor("\"U8\"", "[1]", "null"), "data_offsets that is not a list");
        refusedHeader(tensor("\"U8\"", "[1]", "[0,1,2]"), "3 data_offsets");
        refusedHeader(tensor("\"U8\"", "[1.0]", "[0,1]"), "other than whole numbers");
        refusedHeader(tensor("\"U8\"", "[\"1\"]", "[0,1]"), "other than whole numbers");
    }

    @Test
    void metadataHoldsStringsOnly() {
        refusedHeader("{\"__metadata__\":[]}", "not an object of strings");
        refusedHeader("{\"__metadata__\":{\"a\":1}}", "'a' that is not a string");
        refusedHeader("{\"__metadata__\":{\"a\":{}}}", "'a' that is not a string");
        assertThat(open(Bytes.file("{\"__metadata__\":{\"a\":\"b\"}}  ", 0)).metadata())
                .containsEntry("a", "b");
    }

    @Test
    void duplicateKeys() {
        String one = "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}";
        refusedHeader("{" + one + "," + one + "}", "names a key twice");
        refusedHeader(
                "{" + one + "," + one.replace("a\":{", "\\u0061\":{") + "}", "names a key twice");
        refusedHeader(
                "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                "twice");
        refusedHeader("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", "names a key twice");
    }

    @Test
    void nesting() {
        String deep = "[".repeat(100_000) + "]".repeat(100_000);
        refusedHeader("{\"a\":{\"more\":" + deep + "}}", "bounds of the format");
        refusedHeader("{\"a\":{\"more\":[[1]]}}", "bounds of the format");
        refusedHeader(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[[1]],\"data_offsets\":[0,1]}}",
                "bounds of the format");
    }

    @Test
    void numbersOutOfRange() {
        refusedHeader(tensor("\"U8\"", "[-1]", "[0,1]"), "-1, which is not between");
        refusedHeader(
                tensor("\"U8\"", "[1]", "[0,9223372036854775808]"), "9223372036854775808, which");
        refusedHeader(
                tensor("\"U8\"", "[" + "9".repeat(99) + "]", "[0,1]"), "which is not between");
        refusedHeader(
                tensor("\"U8\"", "[" + "9".repeat(1000) + "]", "[0,1]"), "bounds of the format");
    }

    @Test
    void invalidOffset() {
        refusedHeader(
                tensor("\"U8\"", "[1]", "[1,2]"),
                "'a' begins at byte 1 where 0 is due: it leaves a hole");
        refusedHeader(tensor("\"U8\"", "[1]", "[1,0]"), "before it begins");
        refusedHeader(
                two("[0,2]", "[3,4]"), "'b' begins at byte 3 where 2 is due: it leaves a hole");
        refusedHeader(two("[0,2]", "[1,2]"), "overlaps the tensor before it");
        refusedHeader(two("[0,2]", "[0,2]"), "overlaps the tensor before it");
    }

    @Test
    void validationOverflow() {
        refusedHeader(tensor("\"U8\"", "[4294967296,4294967296]", "[0,1]"), "overflows");
        refusedHeader(tensor("\"U8\"", "[4294967296,4294967296,0]", "[0,0]"), "overflows");
        refusedHeader(tensor("\"F64\"", "[4611686018427387904]", "[0,1]"), "overflows");
    }

    @Test
    void misalignedSlice() {
        refusedHeader(tensor("\"F4\"", "[3]", "[0,2]"), "12 bits of F4");
        refusedHeader(tensor("\"F6_E2M3\"", "[2]", "[0,2]"), "12 bits of F6_E2M3");
    }

    @Test
    void tensorInvalidInfo() {
        refusedHeader(
                tensor("\"F32\"", "[2]", "[0,1]"), "takes 8 bytes, but its data_offsets span 1");
    }

    @Test
    void metadataIncompleteBuffer() {
        String header = tensor("\"F32\"", "[2]", "[0,8]");
        refused(Bytes.file(header, 7), "cut off: its tensors need 8 bytes of data but only 7");
        refused(Bytes.file(header, 0), "cut off");
        refused(Bytes.file(header, 9), "1 bytes after its last tensor");
        refused(Bytes.file("{}", 1), "1 bytes after");
    }

    @Test
    void namesOfStrangersStayOnOneShortLine() {
        String name = "evil\\nname\\u001b[31m" + "x".repeat(5000);
        refusedHeader(
                tensor("\"F32\"", "[2]", "[0,1]").replace("\"a\"", "\"" + name + "\""),
                "evil?name?[31m");
    }

    @Test
    void unknownKeysOfATensorAreIgnoredAsByTheReference() {
        String header =
                "{\"a\":{\"x\":[1,2],\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2],\"y\":{}}}";
        assertThat(open(Bytes.file(header, 2)).tensors()).containsOnlyKeys("a");
    }

    @Test
    void legalOddities() {
        String header =
                "{\"nan\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]},"
                        + "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[0,0]},"
                        + "\"one\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}";
        byte[] data = {0, 0x3C, 0, 0, (byte) 0xC0, 0x7F};
        Path path = Bytes.write(folder, "x.safetensors", Bytes.file(bytes(header), data));
        try (SafetensorsFile file = SafetensorsFile.open(path);
                PointerScope scope = new PointerScope()) {
            assertThat(file.tensors().keySet()).containsExactly("none", "one", "nan");
            assertThat(Tensors.shape(file.tensor("none"))).containsExactly(3, 0);
            assertThat(Tensors.shape(file.tensor("one"))).isEmpty();
            assertThat(Tensors.toFloats(file.tensor("one"))).containsExactly(1);
            assertThat(Tensors.toFloats(file.tensor("nan"))).containsExactly(Float.NaN);
        }
    }

    private static String tensor(String dtype, String shape, String offsets) {
        return "{\"a\":{\"dtype\":"
                + dtype
                + ",\"shape\":"
                + shape
                + ",\"data_offsets\":"
                + offsets
                + "}}";
    }

    private static String two(String first, String second) {
        return "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":"
                + first
                + "},\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":"
                + second
                + "}}";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void refusedHeader(String header, String reason) {
        refused(Bytes.file(header, 16), reason);
    }

    private void refused(byte[] content, String reason) {
        assertThatThrownBy(() -> open(content))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(reason)
                .hasMessageContaining("x.safetensors")
                .message()
                .hasLineCount(1)
                .hasSizeLessThan(600);
    }

    private SafetensorsFile open(byte[] content) {
        try (SafetensorsFile file =
                SafetensorsFile.open(Bytes.write(folder, "x.safetensors", content))) {
            return file;
        }
    }
}
