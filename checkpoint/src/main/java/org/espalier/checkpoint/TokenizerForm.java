package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A tokenizer as its own file has it, turned into what {@code tokenizer.json} would say.
 *
 * @param name the file or files that it was read from
 * @param json what {@code tokenizer.json} says or would say
 * @param prefix the blank that is written before a text
 * @param notes what a user may want to know of the reading, one line each
 */
record TokenizerForm(String name, ObjectNode json, DummyPrefix prefix, List<String> notes) {
    static final String JSON = "tokenizer.json";

    TokenizerForm {
        notes = List.copyOf(notes);
    }

    /** The form that a folder has its tokenizer in; null where it has none. */
    static @Nullable String nameIn(Path folder) {
        return Files.isRegularFile(folder.resolve(JSON)) ? JSON : null;
    }

    /** Reads the tokenizer of a folder, in the form that transformers would take. */
    static TokenizerForm in(Path folder, TokenizerSettings settings) {
        String name = nameIn(folder);
        if (name == null) {
            throw new UserError(
                    folder
                            + " has no tokenizer.json; put the model's tokenizer.json there, or give token ids instead"
                            + " of text");
        }
        return json(folder.resolve(JSON));
    }

    /** A {@code tokenizer.json}. */
    static TokenizerForm json(Path file) {
        return new TokenizerForm(JSON, Json.readObject(file), DummyPrefix.NONE, List.of());
    }

    boolean isTokenizerJson() {
        return name.equals(JSON);
    }
}
