package org.espalier.train.model;

import java.util.Arrays;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.train.tokenizer.BytePairVocabulary;

/** Turns passages into one row of tokens, each between the begin and the end token. */
final class TextPacker {
    private static final int FIRST_CAPACITY = 1 << 16;

    private final Tokenizer tokenizer;
    private char[] row = new char[FIRST_CAPACITY];
    private int size;

    private TextPacker(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The passages as one row. */
    static char[] pack(Tokenizer tokenizer, Iterable<String> passages) {
        TextPacker packer = new TextPacker(tokenizer);
        for (String passage : passages) {
            packer.add(BytePairVocabulary.BEGIN_ID);
            for (long id : packer.tokenizer.encode(passage, false)) {
                packer.add(id);
            }
            packer.add(BytePairVocabulary.END_ID);
        }
        return Arrays.copyOf(packer.row, packer.size);
    }

    private void add(long id) {
        if (size == row.length) {
            row = Arrays.copyOf(row, Math.multiplyExact(row.length, 2));
        }
        row[size++] = (char) id;
    }
}
