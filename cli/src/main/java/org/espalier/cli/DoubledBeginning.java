package org.espalier.cli;

import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.network.text.Documents;
import org.espalier.network.text.TextSource;

/**
 * A text that begins with the token that begins a text, as published prompts and templates do, for a tokenizer that puts
 * one there by itself: as in transformers the model then reads two, which is seldom meant.
 */
final class DoubledBeginning {
    /** Longer than any token that begins a text. */
    private static final int CHARACTERS = 64;

    private DoubledBeginning() {}

    /**
     * A note about the text where that happens; none for ids and chats, to which nothing is added and for
     * which the model may have no tokenizer.
     */
    static List<String> notes(Checkpoint checkpoint, TextSource source) {
        return source instanceof Documents words
                ? notes(
                        checkpoint.tokenizer(),
                        source.file().toString(),
                        words.documents().getFirst())
                : List.of();
    }

    /**
     * A note about a text where that happens.
     *
     * @param name of the text, for the note
     */
    static List<String> notes(Tokenizer tokenizer, String name, String text) {
        if (!tokenizer.addsBos()) {
            return List.of();
        }
        String start = text.substring(0, Math.min(CHARACTERS, text.length()));
        long[] ids = tokenizer.encode(start, true);
        return ids.length > 1 && ids[1] == ids[0]
                ? List.of(
                        name
                                + " begins with the token that begins a text, and the tokenizer puts another before it,"
                                + " as in transformers; leave it out of the text if one is meant")
                : List.of();
    }
}
