package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.espalier.checkpoint.pickle.PickleBytes;
import org.espalier.checkpoint.pickle.TorchZip;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One test per way a file of {@code torch.save} can be wrong, or want what weights do not need. */
class HostilePickleTest {
    private static final long[] TWO = {2};
    private static final long[] ONE = {1};

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "os,system",
        "posix,system",
        "builtins,eval",
        "__builtin__,getattr",
        "torch,load",
        "torch._utils,_rebuild_sparse_tensor",
        "collections,OrderedDict.fromkeys",
        "numpy.core.multiarray,_reconstruct",
        "argparse,Namespace"
    })
    void everyOtherNameIsRefused(String module, String name) {
        String refusal = "pytorch_model.bin wants to call " + module + "." + name + ", ";
        refusedPickle(
                new PickleBytes().global(module, name).raw("(").text("id").raw("tR"), refusal);
        refusedPickle(
                new PickleBytes().raw("(").text("id").raw("i" + module + "\n" + name + "\n"),
                refusal);
        refusedPickle(
                new PickleBytes().text(module).text(name).bytes(0x93).raw(")").bytes(0x81),
                refusal);
        refusedPickle(new PickleBytes().raw("(").global(module, name).raw("o"), refusal);
    }

    @Test
    void aNameOfManyLinesIsOneLine() {
        refusedPickle(
                new PickleBytes().text("os\nespalier: all is well\n").text("x").bytes(0x93),
                "wants to call os?espalier: all is well?.x");
    }

    @Test
    void whatIsKnownCannotBeBentIntoSomethingElse() {
        refusedPickle(new PickleBytes().text("text").raw(")R"), "what is no function");
        refusedPickle(
                new PickleBytes().global("torch", "FloatStorage").raw(")R"), "what is no function");
        refusedPickle(
                new PickleBytes().global("torch._utils", "_rebuild_tensor_v2").raw(")R"),
                "calls TENSOR_V2 in its pickle with what does not fit");
        refusedPickle(new PickleBytes().raw("]}b"), "gives a state");
        // Functions that call functions would recurse as deep as the file likes.
        PickleBytes nested =
                new PickleBytes()
                        .global("torch._tensor", "_rebuild_from_type_v2")
                        .raw("(")
                        .global("torch._tensor", "_rebuild_from_type_v2")
                        .global("torch", "Tensor")
                        .raw(")}tR");
        refusedPickle(nested, "calls FROM_TYPE in its pickle with what does not fit");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"0", "t", "a", "s", "u", "e", "2", "R", "b", "q\u0001", "(0R", "Q", "o"})
    void aStackThatIsEmpty(String instructions) {
        refusedPickle(new PickleBytes().raw(instructions), "");
    }

    @Test
    void anInstructionThatIsNone() {
        refusedPickle(new PickleBytes().bytes(0xff), "has the byte 255");
        refusedPickle(new PickleBytes().bytes(0x82, 1), "has the byte 130");
        refusedPickle(new PickleBytes().bytes(0x80, 9), "protocol 9");
    }

    @Test
    void lengthsBeyondTheFile() {
        refusedPickle(
                new PickleBytes().raw("X").bytes(255, 255, 255, 255),
                "number or name of 4294967295 bytes");
        refusedPickle(
                new PickleBytes().bytes(0x8d, 255, 255, 255, 255, 255, 255, 255, 255),
                "18446744073709551615");
        refusedPickle(
                new PickleBytes().bytes(0x8b, 255, 255, 255, 127), "number or name of 2147483647");
        refusedPickle(new PickleBytes().raw("I" + "9".repeat(300) + "\n"), "300 bytes");
        refusedPickle(
                new PickleBytes().raw("X").bytes(9, 0, 0, 0), "ends where 9 more bytes are due");
    }

    @Test
    void memoThatIsNotThere() {
        refusedPickle(new PickleBytes().raw("h\u0005"), "recalls");
        refusedPickle(new PickleBytes().raw("]p-1\n"), "counts below zero");
        refusedPickle(new PickleBytes().raw("g99999999999999999999\n"), "counts below zero");
    }

    @Test
    void aDictThatHoldsItselfHoldsNoTensor() {
        refusedPickle(
                new PickleBytes().raw("}q\u0000").text("x").raw("h\u0000s"), "holds no tensor");
        refusedPickle(new PickleBytes().raw("]q\u0000h\u0000a"), "holds no dict");
    }

    @Test
    void containersNestedAsDeepAsTheFileLikes() {
        byte[] deep = new byte[300_000];
        Arrays.fill(deep, (byte) 0x85);
        deep[0] = (byte) ')';
        deep[deep.length - 1] = '.';
        refused(TorchZip.of(deep).bytes(), "holds no dict");
    }

    @Test
    void theSameNameTwice() {
        refusedPickle(
                new PickleBytes()
                        .raw("}(")
                        .tensor("w", "FloatStorage", "0", 2, 0, TWO, ONE)
                        .tensor("w", "FloatStorage", "0", 2, 0, TWO, ONE)
                        .raw("u"),
                "names w twice");
    }

    @Test
    void twoDictsOfTensorsAreNoAnswer() {
        PickleBytes pickle = new PickleBytes().raw("}(");
        for (String name : new String[] {"model", "ema"}) {
            pickle.text(name).raw("}(").tensor("w", "FloatStorage", "0", 2, 0, TWO, ONE).raw("u");
        }
        refusedPickle(pickle.raw("u"), "holds 2 dicts of tensors, model, ema; save");
    }

    @Test
    void aNameThatSafetensorsCannotHave() {
        refusedTensor("__metadata__", 2, 0, TWO, ONE, "has a tensor named __metadata__");
    }

    @Test
    void viewsBeyondTheirStorage() {
        refusedTensor(
                "w", 2, 0, new long[] {3}, ONE, "reaches from byte 0 to 12 of a storage of 8");
        refusedTensor("w", 2, 1, TWO, ONE, "reaches from byte 4 to 12");
        refusedTensor("w", 2, 0, TWO, new long[] {2}, "reaches from byte 0 to 12");
        refusedTensor("w", 2, -1, TWO, ONE, "reaches from byte -4");
        refusedTensor("w", 2, 0, new long[] {-2}, ONE, "no count");
        refusedTensor("w", 2, 0, TWO, new long[] {-1}, "no count");
        refusedTensor("w", 2, 0, TWO, new long[] {}, "1 sizes and 0 strides");
        refusedTensor("w", 2, 3, new long[] {0}, ONE, "reaches from byte 12 to 12");
        refusedTensor("w", 2, Long.MAX_VALUE / 4 + 1, ONE, ONE, "beyond 64 bits");
        refusedTensor(
                "w", 2, 0, new long[] {Long.MAX_VALUE}, new long[] {Long.MAX_VALUE}, "64 bits");
        refusedTensor("w", 2, 0, new long[17], new long[17], "17 dimensions");
    }

    @Test
    void aStorageIsNotBlownUpByStridesOfZero() {
        long[] none = {0, 0};
        refusedTensor("w", 2, 0, new long[] {1 << 20, 1 << 20}, none, "more than the whole file");
        refusedTensor("w", 2, 0, new long[] {1L << 40, 1L << 40}, none, "beyond 64 bits");
    }

    @Test
    void storagesThatAreNotThere() {
        refusedTensor("w", 3, 0, TWO, ONE, "needs a storage of 12 bytes, of which 8 are there");
        refusedTensor("w", -1, 0, TWO, ONE, "no plain storage");
        refusedTensor("w", Long.MAX_VALUE, 0, TWO, ONE, "no plain storage");
        PickleBytes other =
                new PickleBytes().raw("}(").tensor("w", "FloatStorage", "1", 2, 0, TWO, ONE);
        refusedPickle(other.raw("u"), "lacks its entry pytorch_model/data/1");
        PickleBytes both = new PickleBytes().raw("}(");
        both.tensor("a", "FloatStorage", "0", 2, 0, TWO, ONE);
        both.tensor("b", "IntStorage", "0", 2, 0, TWO, ONE);
        refusedPickle(both.raw("u"), "refers to the storage 0 as two different ones");
    }

    @Test
    void archivesOfAnotherKind() {
        byte[] pickle = good();
        refused(zip(pickle).entry("constants.pkl", pickle).bytes(), "TorchScript");
        refused(new TorchZip("a").bytes(), "no data.pkl");
        refused(
                new TorchZip("a").entry("data.pkl", pickle).entry("b/data.pkl", pickle).bytes(),
                "2 entries data.pkl");
        refused(
                new TorchZip("a")
                        .entry("data.pkl", pickle)
                        .entry("byteorder", "big".getBytes(StandardCharsets.US_ASCII))
                        .bytes(),
                "in the byte order big");
        refused("PK".getBytes(StandardCharsets.US_ASCII), "is no file of torch.save");
        refused(new byte[0], "is no file of torch.save");
        refused(pickle, "is a bare pickle");
        byte[] tar = new byte[512];
        System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
        refused(tar, "is a tar of PyTorch");
    }

    @Test
    void entriesThatAreNotAsTheyAre() {
        byte[] data = new byte[8];
        TorchZip packed = new TorchZip("a").entry("data.pkl", good());
        refused(packed.entry("data/0", data, 8, 8).bytes(), "entry a/data/0 is compressed");
        TorchZip twice = zip(good()).entry("data/0", data);
        refused(twice.bytes(), "two entries pytorch_model/data/0");
        TorchZip longer = new TorchZip("a").entry("data/0", data, 0, 100);
        refused(longer.entry("data.pkl", good()).bytes(), "overlaps");
        refused(new TorchZip("a").entry("data/0", data, 0, 1 << 30).bytes(), "does not end within");
    }

    /** Whatever is cut off or changed, the answer is a file that is read or a refusal of one line. */
    @Test
    void anyDamageIsReadOrRefused() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] whole = zip(good()).bytes();
        for (int length = 0; length < whole.length; length++) {
            refused(Arrays.copyOf(whole, length), "");
        }
        int read = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] damaged = whole.clone();
            for (int j = 0; j <= random.nextInt(3); j++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            Path path = Bytes.write(folder, "pytorch_model.bin", damaged);
            try (PickleFile file = PickleFile.open(path)) {
                file.tensors().keySet().forEach(file::tensor);
                read++;
            } catch (UserError e) {
                assertThat(e.getMessage()).as("seed %d, round %d", seed, i).doesNotContain("\n");
            }
        }
        assertThat(read).as("seed %d", seed).isBetween(1, 2999);
    }

    private static byte[] good() {
        return new PickleBytes()
                .raw("}(")
                .tensor("w", "FloatStorage", "0", 2, 0, TWO, ONE)
                .raw("u")
                .end();
    }

    private static TorchZip zip(byte[] pickle) {
        return TorchZip.of(pickle).entry("data/0", new byte[8]);
    }

    private void refusedTensor(
            String name, long elements, long offset, long[] size, long[] stride, String message) {
        refusedPickle(
                new PickleBytes()
                        .raw("}(")
                        .tensor(name, "FloatStorage", "0", elements, offset, size, stride)
                        .raw("u"),
                message);
    }

    private void refusedPickle(PickleBytes pickle, String message) {
        refused(zip(pickle.end()).bytes(), message);
    }

    private void refused(byte[] bytes, String message) {
        Path path = Bytes.write(folder, "pytorch_model.bin", bytes);
        assertThatThrownBy(() -> PickleFile.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContaining(message)
                .message()
                .doesNotContain("\n");
    }
}
