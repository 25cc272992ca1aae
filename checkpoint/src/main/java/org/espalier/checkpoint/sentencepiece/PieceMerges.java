package org.espalier.checkpoint.sentencepiece;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The merges of a SentencePiece BPE model. SentencePiece has none: it joins the neighbours whose union has the best
 * score. The same order comes of a list of all pairs of pieces whose union is a piece, best score first, as Hugging
 * Face's converter makes it (transformers {@code convert_slow_tokenizer.generate_merges}).
 */
public final class PieceMerges {
    /** What SentencePiece writes for a space. */
    public static final String SPACE = "\u2581";

    private static final long NORMAL = 1;

    private PieceMerges() {}

    /**
     * Two pieces that become one.
     *
     * @param left the first
     * @param right the second
     * @param score of the piece that they become
     */
    public record Merge(String left, String right, double score) {}

    /**
     * All merges in order; unknown, control, byte and user-defined pieces are never made by merging.
     *
     * @param tokens by id
     * @param scores of the tokens
     * @param types of the tokens, 1 for normal ones
     * @param vocabulary ids of the tokens that may be halves
     */
    public static List<Merge> of(
            List<String> tokens,
            List<Double> scores,
            List<Long> types,
            Map<String, Integer> vocabulary) {
        List<Merge> merges = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            if (types.get(id) == NORMAL) {
                merges.addAll(splits(tokens.get(id), scores.get(id), vocabulary));
            }
        }
        // Stable, so that equal scores stay in the order of the ids.
        merges.sort(
                Comparator.comparingDouble(Merge::score)
                        .thenComparingInt(merge -> characters(merge.left()))
                        .thenComparingInt(merge -> characters(merge.right()))
                        .reversed());
        return merges;
    }

    private static List<Merge> splits(String piece, double score, Map<String, Integer> vocabulary) {
        List<Merge> splits = new ArrayList<>();
        for (int at = next(piece, 0); at < piece.length(); at = next(piece, at)) {
            String left = piece.substring(0, at);
            String right = piece.substring(at);
            if (vocabulary.containsKey(left) && vocabulary.containsKey(right)) {
                splits.add(new Merge(left, right, score));
            }
        }
        splits.sort(
                Comparator.<Merge>comparingInt(split -> vocabulary.getOrDefault(split.left(), 0))
                        .thenComparingInt(split -> vocabulary.getOrDefault(split.right(), 0)));
        return splits;
    }

    private static int next(String text, int at) {
        return at >= text.length() ? at : text.offsetByCodePoints(at, 1);
    }

    private static int characters(String text) {
        return text.codePointCount(0, text.length());
    }
}
