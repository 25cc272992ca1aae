package org.espalier.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Importance matrices, old and new, and damaged ones. */
class ImatrixTest {
    private static final String DOWN = "blk.0.ffn_down.weight";
    private static final String STACK = "blk.0.ffn_up_exps.weight";

    @TempDir Path folder;

    private static GgufBuilder.Bytes entry(
            GgufBuilder.Bytes bytes, String name, int calls, float... values) {
        byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
        return bytes.i32(utf8.length)
                .raw(utf8)
                .i32(calls)
                .i32(values.length)
                .raw(GgufBuilder.floats(values));
    }

    private static byte[] old() {
        GgufBuilder.Bytes bytes = new GgufBuilder.Bytes().i32(2);
        entry(bytes, DOWN, 4, 8, 2, 0);
        entry(bytes, STACK, 2, 2, 4, 6, 8);
        return bytes.i32(7).i32(4).raw("text".getBytes(StandardCharsets.UTF_8)).toByteArray();
    }

    private Path write(byte[] bytes) {
        return GgufBuilder.write(folder, "x.dat", bytes);
    }

    @Test
    void oldFilesHoldSumsOverCalls() {
        Imatrix imatrix = Imatrix.open(write(old()));
        Imatrix.Input input = imatrix.input(DOWN, null, -1, 3);
        assertThat(input.meanSquares()).containsExactly(2, 0.5, 0);
        assertThat(input.tokens()).isEqualTo(4);
        assertThat(imatrix.input(STACK, null, 1, 2).meanSquares()).containsExactly(3, 4);
        refused(() -> imatrix.input(STACK, null, 2, 2), "expert 2");
        refused(() -> imatrix.input(STACK, null, -1, 2), "4 channels");
    }

    @Test
    void newFilesHoldSumsAndCountsOfEachExpert() {
        Path file =
                new GgufBuilder()
                        .text("general.type", "imatrix")
                        .floats(DOWN + ".in_sum2", new float[] {8, 2, 0}, 3, 1)
                        .floats(DOWN + ".counts", new float[] {4}, 1, 1)
                        .floats(STACK + ".in_sum2", new float[] {2, 4, 0, 0}, 2, 2)
                        .floats(STACK + ".counts", new float[] {2, 0}, 1, 2)
                        .write(folder, "x.gguf");
        Imatrix imatrix = Imatrix.open(file);
        assertThat(imatrix.input(DOWN, null, -1, 3).meanSquares()).containsExactly(2, 0.5, 0);
        assertThat(imatrix.input(STACK, null, 0, 2).meanSquares()).containsExactly(1, 2);
        assertThat(imatrix.input(STACK, null, 1, 2).meanSquares()).containsExactly(0, 0);
        assertThat(imatrix.input(STACK, null, 1, 2).tokens()).isZero();
        assertThat(imatrix.input("blk.0.other.weight", DOWN, -1, 3).tokens()).isEqualTo(4);
        refused(() -> imatrix.input(DOWN, null, -1, 4), "3 channels");
        refused(() -> imatrix.input(STACK, null, 2, 2), "expert 2");
        refused(() -> imatrix.input("blk.9.ffn_down.weight", null, -1, 3), "says nothing of");
    }

    private static void refused(Runnable run, String message) {
        assertThatThrownBy(run::run).isInstanceOf(UserError.class).hasMessageContaining(message);
    }

    private void damaged(GgufBuilder.Bytes bytes, String message) {
        Path file = write(bytes.toByteArray());
        refused(() -> Imatrix.open(file), message);
    }

    @Test
    void damagedFilesAreRefusedByName() {
        damaged(new GgufBuilder.Bytes().i32(-1), "-1 entries");
        damaged(new GgufBuilder.Bytes().i32(Integer.MAX_VALUE), "entries");
        damaged(new GgufBuilder.Bytes().i32(0), "0 entries");
        damaged(entry(new GgufBuilder.Bytes().i32(1), DOWN, 0, 1), "0 calls");
        damaged(entry(new GgufBuilder.Bytes().i32(1), DOWN, 1, -1), "sum of squares");
        damaged(entry(new GgufBuilder.Bytes().i32(1), DOWN, 1, Float.NaN), "sum of squares");
        damaged(entry(entry(new GgufBuilder.Bytes().i32(2), DOWN, 1, 1), DOWN, 1, 1), "twice");
        damaged(entry(new GgufBuilder.Bytes().i32(1), DOWN, 1, 1).i32(3).i32(9), "at its end");
        Path text = new GgufBuilder().text("general.type", "model").write(folder, "x.gguf");
        refused(() -> Imatrix.open(text), "no importance matrix");
        Path lone =
                new GgufBuilder()
                        .text("general.type", "imatrix")
                        .floats(DOWN + ".in_sum2", new float[] {8}, 1)
                        .write(folder, "y.gguf");
        refused(() -> Imatrix.open(lone), "no fitting sums and counts");
    }

    /** Every cut and many flipped bytes: a line for the user or a result, never anything else. */
    @Test
    void noDamageGetsThrough() {
        byte[] whole = old();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            // Without the name of the data set, as the first versions wrote it, the file is whole.
            if (length != whole.length - 12) {
                assertThatThrownBy(() -> Imatrix.open(write(cut))).isInstanceOf(UserError.class);
            }
        }
        Random random = new Random(11);
        for (int i = 0; i < 500; i++) {
            byte[] flipped = whole.clone();
            flipped[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                Imatrix.open(write(flipped));
            } catch (UserError e) {
                assertThat(e.getMessage()).contains("x.dat");
            }
        }
    }
}
