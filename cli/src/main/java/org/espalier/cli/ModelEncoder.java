package org.espalier.cli;

import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.chat.ChatTemplate;
import org.espalier.checkpoint.chat.ChatTemplates;
import org.espalier.core.UserError;
import org.espalier.network.text.TextEncoder;
import org.jspecify.annotations.Nullable;

/** A checkpoint's tokenizer with the special tokens that it adds by itself, and its chat template; opened when needed. */
final class ModelEncoder implements TextEncoder {
    private final Checkpoint checkpoint;
    private @Nullable ChatTemplate template;

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

    /** The template writes the special tokens, the first of a text included. */
    @Override
    public long[] encodeChat(List<Map<String, Object>> messages) {
        if (template == null) {
            template =
                    ChatTemplates.of(checkpoint)
                            .orElseThrow(() ->
                                    new UserError(
                                            checkpoint.folder()
                                                    + " has no chat template (chat_template.jinja, or"
                                                    + " chat_template in tokenizer_config.json), so chats"
                                                    + " cannot be written out; put the one of the model"
                                                    + " there, or give lines with \"text\""));
        }
        return checkpoint.tokenizer().encode(template.render(messages), false);
    }
}
