package org.espalier.network.text;

import java.util.List;
import java.util.Map;
import org.espalier.core.UserError;

/** Turns text into token ids, usually a checkpoint's tokenizer. */
@FunctionalInterface
public interface TextEncoder {
    /** Token ids of the text, with the special tokens that the tokenizer adds by itself (a leading BOS, if any). */
    long[] encode(String text);

    /**
     * The first of those ids: at least {@code enough}, where the text has so many. A long text need not be encoded to
     * its end.
     */
    default long[] encode(String text, long enough) {
        return encode(text);
    }

    /**
     * Token ids of a chat, written out by the model's own template; nothing is added to what the template writes.
     *
     * @param messages what was said in turn, each with {@code role} and {@code content}
     * @throws UserError where the model has no template or the template refuses the chat
     */
    default long[] encodeChat(List<Map<String, Object>> messages) {
        throw new UserError("this tokenizer has no chat template");
    }
}
