package org.espalier.checkpoint.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * An importance matrix of llama.cpp: for each matrix, per input channel, the mean of the squared activations over the
 * tokens that someone else has already run. Old files ({@code .dat}) and new ones ({@code .gguf}).
 */
public final class Imatrix {
    private final Path file;
    private final Map<String, Entry> entries;

    /**
     * The input of one matrix, or of a stack of experts.
     *
     * @param means mean squares, expert after expert, each of them input channel after input channel; 0 where the expert
     *     saw nothing
     * @param counts tokens (in old files, batches) seen by each expert; one number for a plain matrix
     */
    @SuppressWarnings("ArrayRecordComponent") // millions of numbers, never compared
    record Entry(double[] means, long[] counts) {
        int columns() {
            return means.length / counts.length;
        }
    }

    /**
     * The input of one matrix of a model.
     *
     * @param meanSquares per input channel the mean over the tokens of its square
     * @param tokens number of tokens, or in old files of batches; 0 where nothing came by
     */
    @SuppressWarnings("ArrayRecordComponent") // thousands of numbers, never compared
    public record Input(double[] meanSquares, long tokens) {}

    Imatrix(Path file, Map<String, Entry> entries) {
        this.file = file;
        this.entries = new TreeMap<>(entries);
    }

    /**
     * Whether a file is an importance matrix and no text: by what it holds, and by the end of its name where that does
     * not show it, as of a file that is damaged or not there.
     */
    public static boolean isOne(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        boolean named =
                name.endsWith(".dat") || name.endsWith(".imatrix") || name.endsWith(".gguf");
        return ImatrixReader.looksLikeOne(path, named);
    }

    /** Reads and checks a whole file; whatever is wrong with it is a {@link UserError} that names the file. */
    public static Imatrix open(Path path) {
        return ImatrixReader.read(path);
    }

    /** Names of the matrices that it speaks of. */
    public Set<String> names() {
        return entries.keySet();
    }

    /**
     * The input of a matrix.
     *
     * @param name its name in GGUF, such as {@code blk.3.ffn_down.weight}
     * @param twin a matrix that reads the same input and may stand in for it, or null
     * @param expert number of the expert in a stack, or -1 for a plain matrix
     * @param columns its input channels
     * @throws UserError where the file does not know it, or knows another width
     */
    public Input input(String name, @Nullable String twin, int expert, long columns) {
        Entry entry = entries.get(name);
        if (entry == null && twin != null) {
            entry = entries.get(twin);
        }
        if (entry == null) {
            throw new UserError(
                    file
                            + " says nothing of "
                            + Text.quote(name)
                            + (expert < 0
                                    ? ""
                                    : " (old files leave out stacks with an idle expert)")
                            + "; give the importance matrix of this very model");
        }
        boolean stack = expert >= 0;
        // Old files count the batches of a whole stack, not of each expert.
        long experts = stack ? Math.max(1, expert + 1) : 1;
        long width = stack && entry.counts().length == 1 ? columns : entry.columns();
        if (width != columns
                || entry.means().length % width != 0
                || entry.means().length / width < experts
                || (!stack && entry.means().length != width)) {
            throw new UserError(
                    file
                            + " has "
                            + entry.means().length
                            + " channels for "
                            + Text.quote(name)
                            + " where the model reads "
                            + columns
                            + (stack ? " in expert " + expert : "")
                            + "; give the importance matrix of this very model");
        }
        int from = (int) ((experts - 1) * width);
        long[] counts = entry.counts();
        return new Input(
                Arrays.copyOfRange(entry.means(), from, from + (int) width),
                counts[counts.length == 1 ? 0 : (int) experts - 1]);
    }
}
