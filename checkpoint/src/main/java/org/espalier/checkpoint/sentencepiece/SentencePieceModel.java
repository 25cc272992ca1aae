package org.espalier.checkpoint.sentencepiece;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a SentencePiece model file holds, as far as it decides how a text is cut.
 *
 * @param pieces by id
 * @param unigram whether the likeliest pieces are taken; otherwise neighbours are joined by score (BPE)
 * @param byteFallback whether characters without a piece become bytes
 * @param bos id that begins a text; -1 for none
 * @param eos id that ends a text; -1 for none
 * @param rules how a text is normalized
 */
public record SentencePieceModel(
        List<Piece> pieces, boolean unigram, boolean byteFallback, int bos, int eos, Rules rules) {
    public SentencePieceModel {
        pieces = List.copyOf(pieces);
    }

    /** What a piece is for. */
    public enum Type {
        NORMAL(1),
        UNKNOWN(2),
        CONTROL(3),
        USER_DEFINED(4),
        UNUSED(5),
        BYTE(6);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        /** The number in the file ({@code SentencePiece.Type}), which GGUF has too. */
        public int number() {
            return number;
        }
    }

    /**
     * A piece.
     *
     * @param text what it stands for; blanks are U+2581
     * @param score its log-probability, or how early BPE makes it
     * @param type what it is for
     */
    public record Piece(String text, float score, Type type) {}

    /**
     * How a text is normalized.
     *
     * @param name the name of the rules, such as nmt_nfkc; possibly empty
     * @param charsmap replacements of characters; none for identity
     * @param addsPrefix whether a blank is written before a text
     * @param asSuffix whether that blank is written behind it instead
     * @param removesBlanks whether blanks around a text go and runs of them become one
     * @param escapesBlanks whether blanks become U+2581
     */
    public record Rules(
            String name,
            Charsmap charsmap,
            boolean addsPrefix,
            boolean asSuffix,
            boolean removesBlanks,
            boolean escapesBlanks) {}

    /** Ids by piece; of pieces of one type. */
    public Map<String, Integer> ids(Type type) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == type) {
                ids.put(pieces.get(id).text(), id);
            }
        }
        return ids;
    }

    /** The id of the unknown piece, of which there is one. */
    public int unknown() {
        return ids(Type.UNKNOWN).values().iterator().next();
    }
}
