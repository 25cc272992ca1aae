package org.espalier.network.text;

/** Turns text into token ids, usually a checkpoint's tokenizer. */
@FunctionalInterface
public interface TextEncoder {
    /** Token ids of the text, with the special tokens that the tokenizer adds by itself (a leading BOS, if any). */
    long[] encode(String text);
}
