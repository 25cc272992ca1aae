package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    private static final Path STATUS = Path.of("/proc/self/status");

    @TempDir Path folder;

    /** The bit patterns are worked out by hand from the definitions of the types. */
    @ParameterizedTest
    @CsvSource({
        "BOOL, 00 01, 0, 1",
        "U8, 00 FF, 0, 255",
        "I8, 80 7F, -128, 127",
        "F8_E5M2, 7B BC, 57344, -1",
        "F8_E4M3, 7E B8, 448, -1",
        "I16, 00 80 01 00, -32768, 1",
        "U16, FF FF 01 00, 65535, 1",
        "F16, FF 7B 00 C0, 65504, -2",
        "BF16, 80 3F C0 C0, 1, -6",
        "I32, FF FF FF FF 02 00 00 00, -1, 2",
        "U32, FF FF FF FF 02 00 00 00, 4294967295, 2",
        "F32, 00 00 80 3F 00 00 20 C1, 1, -10",
        "F64, 00 00 00 00 00 00 F0 3F 00 00 00 00 00 00 00 C0, 1, -2",
        "I64, FE FF FF FF FF FF FF FF 03 00 00 00 00 00 00 00, -2, 3",
        "U64, 04 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00, 4, 3"
    })
    void everyTypeIsReadInItsOwn(DType dtype, String hex, double first, double second) {
        byte[] data = HexFormat.ofDelimiter(" ").parseHex(hex);
        String header =
                "{\"w\":{\"dtype\":\""
                        + dtype
                        + "\",\"shape\":[2,1],\"data_offsets\":[0,"
                        + data.length
                        + "]}}";
        for (int shift = 0; shift < 2; shift++) {
            // One more space shifts the data off its alignment.
            byte[] content =
                    Bytes.file((header + " ".repeat(shift)).getBytes(StandardCharsets.UTF_8), data);
            Path path = Bytes.write(folder, shift + ".safetensors", content);
            try (SafetensorsFile file = SafetensorsFile.open(path);
                    PointerScope scope = new PointerScope()) {
                Tensor tensor = file.tensor("w");
                assertThat(tensor.scalar_type().intern())
                        .isEqualTo(dtype.scalarType().orElse(ScalarType.Undefined));
                assertThat(Tensors.shape(tensor)).containsExactly(2, 1);
                assertThat(Tensors.toDoubles(tensor)).containsExactly(first, second);
            }
        }
    }

    @Test
    void unloadingGivesTheMemoryOfThePagesBackAndKeepsTheTensor() throws IOException {
        assumeTrue(Files.isReadable(STATUS), "only Linux tells what is resident");
        int bytes = 64 << 20;
        String header =
                "{\"w\":{\"dtype\":\"F32\",\"shape\":["
                        + bytes / 4
                        + "],\"data_offsets\":[0,"
                        + bytes
                        + "]}}";
        String aligned = header + " ".repeat((8 - header.length() % 8) % 8);
        Path path = Bytes.write(folder, "large.safetensors", Bytes.file(aligned, bytes));
        try (SafetensorsFile file = SafetensorsFile.open(path);
                PointerScope scope = new PointerScope()) {
            Tensor tensor = file.tensor("w");
            long before = residentFilePages();
            long finite = Tensors.countTrue(tensor.isfinite());
            long touched = residentFilePages();
            assertThat(touched - before).isGreaterThan(bytes * 9L / 10);
            file.unload("w");
            assertThat(touched - residentFilePages()).isGreaterThan(bytes * 9L / 10);
            assertThat(Tensors.countTrue(tensor.isfinite())).isEqualTo(finite);
        }
    }

    /** Bytes of mapped files that are in the memory of this process. */
    private static long residentFilePages() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith("RssFile:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IllegalStateException(STATUS + " has no RssFile");
    }

    @Test
    void alignedTensorsShareTheMappingAndOthersAreCopied() {
        String header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        String aligned = header + " ".repeat((8 - header.length() % 8) % 8);
        for (String text : new String[] {aligned, aligned + " "}) {
            Path path = Bytes.write(folder, "x.safetensors", Bytes.file(text, 8));
            try (SafetensorsFile file = SafetensorsFile.open(path);
                    PointerScope scope = new PointerScope()) {
                long address = file.tensor("w").data_ptr().address();
                assertThat(address == file.segment("w").address()).isEqualTo(text.equals(aligned));
                assertThat(file.segment("w").isReadOnly()).isTrue();
            }
        }
    }

    @Test
    void typesBelowAByteAreListedButNotComputedWith() {
        String header = "{\"q\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}";
        try (SafetensorsFile file =
                SafetensorsFile.open(Bytes.write(folder, "x.safetensors", Bytes.file(header, 2)))) {
            assertThat(file.segment("q").toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1);
            assertThatThrownBy(() -> file.tensor("q"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("F4");
            assertThatThrownBy(() -> file.tensor("p"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("'p'");
        }
    }

    @Test
    void aSparseFileBeyondTwoGibibytesIsMapped() throws IOException {
        long elements = 3L << 28;
        long bytes = elements * 4;
        String header =
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[3,268435456],\"data_offsets\":[0,"
                        + bytes
                        + "]}}";
        byte[] start = Bytes.file(header + " ".repeat((8 - header.length() % 8) % 8), 0);
        Path path = folder.resolve("big.safetensors");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.write(start);
            file.setLength(start.length + bytes);
            file.seek(start.length + bytes - 4);
            file.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(7).array());
        }
        try (SafetensorsFile file = SafetensorsFile.open(path);
                PointerScope scope = new PointerScope()) {
            Tensor last = file.tensor("w").view(elements).narrow(0, elements - 2, 2);
            assertThat(Tensors.toFloats(last)).containsExactly(0, 7);
        }
    }

    @Test
    void theChecksumIsThatOfTheFile() {
        Path path = Bytes.write(folder, "x.safetensors", Bytes.file("{}", 0));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            // printf '\x02\0\0\0\0\0\0\0{}' | sha256sum
            assertThat(file.checksum())
                    .isEqualTo("411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd");
        }
    }

    @Test
    void aPathThatIsNoFileIsOneClearLine() {
        assertThatThrownBy(() -> SafetensorsFile.open(folder))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("not a file");
        assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("no file");
    }

    /** Whatever single bytes a disk or an attacker changes, a file opens in full or is refused in one line. */
    @Test
    void damagedFilesOpenOrAreRefused() throws IOException {
        String header =
                "{\"__metadata__\":{\"format\":\"pt\"},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                        + "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[24,26]},"
                        + "\"c\":{\"dtype\":\"F4\",\"shape\":[2,0,5],\"data_offsets\":[26,26]}}";
        byte[] valid = Bytes.file(header, 26);
        long seed = 20261125;
        System.out.println("damagedFilesOpenOrAreRefused: seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        int opened = 0;
        int refused = 0;
        for (int round = 0; round < 2000; round++) {
            byte[] damaged = damage(valid, header.length(), random);
            Path path = Files.write(folder.resolve("fuzz.safetensors"), damaged);
            try (SafetensorsFile file = SafetensorsFile.open(path);
                    PointerScope scope = new PointerScope()) {
                for (TensorInfo info : file.tensors().values()) {
                    assertThat(file.segment(info.name()).byteSize()).isEqualTo(info.bytes());
                    if (info.dtype().scalarType().isPresent()) {
                        assertThat(file.tensor(info.name()).numel()).isEqualTo(info.elements());
                    }
                }
                opened++;
            } catch (UserError e) {
                assertThat(e.getMessage()).hasLineCount(1).contains("fuzz.safetensors");
                refused++;
            }
        }
        assertThat(opened).as("files whose damage does not matter").isPositive();
        assertThat(refused).as("files whose damage matters").isGreaterThan(1000);
    }

    private static byte[] damage(byte[] valid, int header, SplittableRandom random) {
        if (random.nextInt(10) == 0) {
            return Arrays.copyOf(valid, random.nextInt(valid.length + 8));
        }
        byte[] damaged = valid.clone();
        int changes = 1 + random.nextInt(3);
        for (int i = 0; i < changes; i++) {
            int at =
                    random.nextInt(10) == 0
                            ? random.nextInt(valid.length)
                            : random.nextInt(8 + header);
            damaged[at] =
                    switch (random.nextInt(3)) {
                        case 0 -> (byte) (damaged[at] ^ (1 << random.nextInt(8)));
                        case 1 -> (byte) "0123456789{}[]\",:\\".charAt(random.nextInt(18));
                        default -> (byte) random.nextInt(256);
                    };
        }
        return damaged;
    }
}
