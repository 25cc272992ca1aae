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
 * @param json what {@code tokenizer.json} says or would say of all but the preparation
 * @param preparation what is done to a text before
 * @param described what {@code tokenizer.json} would say of the preparation; null where there is none
 * @param notes what a user may want to know of the reading, one line each
 */
record TokenizerForm(
        String name,
        ObjectNode json,
        TextPreparation preparation,
        @Nullable ObjectNode described,
        List<String> notes) {
    static final String JSON = "tokenizer.json";

    TokenizerForm {
        notes = List.copyOf(notes);
    }

    /** The form that a folder has its tokenizer in; null where it has none. */
    static @Nullable String nameIn(Path folder) {
        if (has(folder, JSON)) {
            return JSON;
        }
        if (has(folder, SentencePieceForm.FILE)) {
            return SentencePieceForm.FILE;
        }
        boolean pairs = has(folder, BytePairForm.VOCABULARY) && has(folder, BytePairForm.MERGES);
        return pairs ? BytePairForm.FILES : null;
    }

    private static boolean has(Path folder, String name) {
        return Files.isRegularFile(folder.resolve(name));
    }

    /** Reads the tokenizer of a folder, in the form that transformers would take. */
    static TokenizerForm in(Path folder, TokenizerSettings settings) {
        return switch (nameIn(folder)) {
            case JSON -> json(folder.resolve(JSON));
            case SentencePieceForm.FILE -> SentencePieceForm.read(folder, settings);
            case BytePairForm.FILES -> BytePairForm.read(folder, settings);
            case null, default ->
                    throw new UserError(
                            folder
                                    + " has no tokenizer.json, tokenizer.model, or vocab.json with merges.txt; put the"
                                    + " model's there, or give token ids instead of text");
        };
    }

    /** A {@code tokenizer.json}. */
    static TokenizerForm json(Path file) {
        return new TokenizerForm(
                JSON, Json.readObject(file), TextPreparation.NONE, null, List.of());
    }

    boolean isTokenizerJson() {
        return name.equals(JSON);
    }
}
