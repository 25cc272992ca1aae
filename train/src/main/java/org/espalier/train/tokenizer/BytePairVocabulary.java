package org.espalier.train.tokenizer;

import java.util.List;

/**
 * A trained byte-level byte-pair encoding.
 *
 * @param tokens every token; the position is the id: the two special tokens, the 256 bytes, then what the merges made
 * @param merges in order of rank, lowest (applied first) first
 */
public record BytePairVocabulary(List<String> tokens, List<Merge> merges) {
    /** Begin of sequence, id 0; put in front of every encoded text. */
    public static final String BEGIN = "<|begin|>";

    /** End of sequence, id 1; a model learns to write it after the last word. */
    public static final String END = "<|end|>";

    public static final int BEGIN_ID = 0;
    public static final int END_ID = 1;

    /** The two special tokens and the 256 bytes: no vocabulary can be smaller. */
    public static final int SMALLEST = 258;

    public BytePairVocabulary {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
    }

    /** Two neighbouring tokens, in the byte alphabet, that become one. */
    public record Merge(String left, String right) {
        /** The token that the two become. */
        public String joined() {
            return left + right;
        }
    }

    public int size() {
        return tokens.size();
    }
}
