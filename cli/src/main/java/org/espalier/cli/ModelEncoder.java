package org.espalier.cli;

import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.UserError;
import org.espalier.network.text.TextEncoder;

/** A checkpoint's tokenizer with the special tokens that it adds by itself; it is opened when text comes. */
final class ModelEncoder implements TextEncoder {
    private final Checkpoint checkpoint;

    ModelEncoder(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    @Override
    public long[] encode(String text) {
        return checkpoint.tokenizer().encode(text, true);
    }

    @Override
    public long[] encode(String text, long enough) {
        return checkpoint.tokenizer().encode(text, true, enough);
    }

    @Override
    public long[] encodeChat(List<Map<String, Object>> messages) {
        throw new UserError(
                "a chat needs the model's own chat template: write it out, for example with"
                        + " apply_chat_template() of transformers, and give lines with \"input_ids\"");
    }
}
