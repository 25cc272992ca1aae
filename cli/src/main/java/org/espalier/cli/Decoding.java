package org.espalier.cli;

import org.espalier.checkpoint.Tokenizer;

/** Text of tokens in their context. */
final class Decoding {
    private Decoding() {}

    /**
     * The text that {@code added} tokens append to a prompt. A token on its own can lose the blank in front of it, so
     * both are decoded together and the prompt's text is cut off.
     */
    static String continuation(Tokenizer tokenizer, long[] prompt, long[] added) {
        long[] all = new long[prompt.length + added.length];
        System.arraycopy(prompt, 0, all, 0, prompt.length);
        System.arraycopy(added, 0, all, prompt.length, added.length);
        String whole = tokenizer.decode(all);
        String start = tokenizer.decode(prompt);
        return whole.startsWith(start) ? whole.substring(start.length()) : tokenizer.decode(added);
    }
}
