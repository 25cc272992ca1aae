package org.espalier.audit.receipt;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The account of one pruning, written as {@code espalier.json} beside the weights. Two runs with the same inputs, seed
 * and threads agree in everything but {@link #run}, and the digest that covers it.
 *
 * @param format version of this layout
 * @param espalier version of the program
 * @param source the dense model
 * @param remainder what of it was not used; null in receipts of earlier versions
 * @param recipe the recipe as it was applied, command line options included, in the form of a recipe file
 * @param calibration the text that was read, or null where the recipe reads none
 * @param seed start of all random numbers
 * @param threads threads of the tensor work; the last bits of sums depend on them
 * @param dtype dtype of the pruned weights, or {@code auto} for each tensor's own
 * @param totals sums over the model
 * @param layers the pruned matrices in forward order
 * @param leftDense the matrices that the recipe protects: they are as they were, and no part of the budget
 * @param blocks the decoder blocks in order
 * @param quality dense and pruned model compared, or null where no text was given
 * @param files every file of the folder but the receipt and the report made from it
 * @param run when, how fast, on what
 * @param digest SHA-256 of the receipt's own text with this value written as zeros
 */
public record Receipt(
        int format,
        String espalier,
        Source source,
        @Nullable Remainder remainder,
        Map<String, Object> recipe,
        @Nullable CalibrationEntry calibration,
        long seed,
        int threads,
        String dtype,
        Totals totals,
        List<LayerEntry> layers,
        List<String> leftDense,
        List<BlockEntry> blocks,
        @Nullable Quality quality,
        List<FileEntry> files,
        Run run,
        String digest) {
    /** The layout that this version writes. */
    public static final int FORMAT = 2;

    public Receipt {
        layers = List.copyOf(layers);
        leftDense = List.copyOf(leftDense);
        blocks = List.copyOf(blocks);
        files = List.copyOf(files);
    }

    /**
     * The dense model.
     *
     * @param name name of its folder or file
     * @param family {@code model_type} of its config.json
     * @param types the element types that its weights are stored in, such as BF16 or Q4_K
     * @param files its files
     */
    public record Source(String name, String family, List<String> types, List<FileEntry> files) {
        public Source {
            types = List.copyOf(types);
            files = List.copyOf(files);
        }
    }

    /**
     * What of the dense model was not used.
     *
     * @param tensors modules whose tensors the network does not read; they were copied as they are
     * @param files files of the folder that were neither read nor copied
     * @param notes what was odd about the model and was read all the same
     */
    public record Remainder(List<String> tensors, List<String> files, List<String> notes) {
        public Remainder {
            tensors = List.copyOf(tensors);
            files = List.copyOf(files);
            notes = List.copyOf(notes);
        }

        /** Whether there is nothing to say. */
        @JsonIgnore
        public boolean isEmpty() {
            return tensors.isEmpty() && files.isEmpty() && notes.isEmpty();
        }
    }

    /**
     * The calibration text.
     *
     * @param file name of the file
     * @param sha256 checksum of its bytes, as they were read
     * @param bytes how many bytes the checksum is of, where the file goes on after them and was read no further; null
     *     where it is of the whole file
     * @param samples sequences read
     * @param longest tokens of the longest sequence
     * @param tokens tokens read
     * @param notes respects in which it is not what was wanted
     */
    public record CalibrationEntry(
            String file,
            String sha256,
            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long bytes,
            int samples,
            int longest,
            long tokens,
            List<String> notes) {
        public CalibrationEntry {
            notes = List.copyOf(notes);
        }
    }

    /**
     * Sums over the model.
     *
     * @param parameters numbers in all tensors
     * @param prunable weights of the matrices that the recipe prunes
     * @param removed weights removed, counting those that were zero already
     * @param zerosBefore weights of these matrices that were zero in the dense model
     * @param zeros weights of these matrices that are zero now
     * @param sparsity removed / prunable
     * @param sparsityOfModel removed / parameters
     * @param bytesBefore size of the weight files before
     * @param bytesAfter size of the weight files after: zeros take room like any other number
     * @param gzipBytesBefore size of the weight files before, packed with gzip; null where they were too large to try
     * @param gzipBytesAfter size of the weight files after, packed with gzip; null where they were too large to try
     */
    public record Totals(
            long parameters,
            long prunable,
            long removed,
            long zerosBefore,
            long zeros,
            double sparsity,
            double sparsityOfModel,
            long bytesBefore,
            long bytesAfter,
            @Nullable Long gzipBytesBefore,
            @Nullable Long gzipBytesAfter) {}

    /**
     * One decoder block.
     *
     * @param block index from 0
     * @param outputError ||y-y'||^2 / ||y||^2 of its output on the first calibration batch; null where it was not run
     */
    public record BlockEntry(int block, @Nullable Double outputError) {}

    /** The recipe's name. */
    public String recipeName() {
        return String.valueOf(recipe.get("name"));
    }

    /** The same receipt with another digest. */
    Receipt withDigest(String digest) {
        return new Receipt(
                format,
                espalier,
                source,
                remainder,
                recipe,
                calibration,
                seed,
                threads,
                dtype,
                totals,
                layers,
                leftDense,
                blocks,
                quality,
                files,
                run,
                digest);
    }
}
