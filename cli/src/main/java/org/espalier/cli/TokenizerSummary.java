package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.StopTokens;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * What {@code inspect} says of a model's tokenizer.
 *
 * @param files the file or files that it is read from; null where there is none
 * @param tokens number of tokens; null where it cannot be opened
 * @param beginsWith id that is put before a text; null for none
 * @param endsWith id that is put behind a text; null for none
 * @param stopTokens ids at which the model's writing ends
 * @param notes where files disagree, or why it cannot be opened; one line each
 */
record TokenizerSummary(
        @Nullable String files,
        @Nullable Integer tokens,
        @Nullable Integer beginsWith,
        @Nullable Integer endsWith,
        List<Long> stopTokens,
        List<String> notes) {
    /** Opens the tokenizer; one that is no good is no reason to show nothing else. */
    static TokenizerSummary of(OpenModel model) {
        String files = model.checkpoint().tokenizerForm();
        try {
            StopTokens stops = model.stops();
            List<String> notes = new ArrayList<>(model.checkpoint().tokenizerNotes());
            notes.addAll(stops.notes());
            if (files == null) {
                return new TokenizerSummary(null, null, null, null, stops.ids(), notes);
            }
            Tokenizer tokenizer = model.checkpoint().tokenizer();
            if (tokenizer.vocabularySize() > model.vocabulary()) {
                notes.add(
                        "the tokenizer has "
                                + tokenizer.vocabularySize()
                                + " tokens and the model knows "
                                + model.vocabulary());
            }
            return new TokenizerSummary(
                    files,
                    tokenizer.vocabularySize(),
                    tokenizer.addsBos() ? tokenizer.bosId().getAsInt() : null,
                    tokenizer.addsEos() ? tokenizer.eosId().getAsInt() : null,
                    stops.ids(),
                    notes);
        } catch (UserError e) {
            return new TokenizerSummary(
                    files, null, null, null, List.of(), List.of(String.valueOf(e.getMessage())));
        }
    }

    /** On one line. */
    String words() {
        if (files == null) {
            return "none";
        }
        if (tokens == null) {
            return files + ", which cannot be opened";
        }
        return files
                + ", "
                + tokens
                + " tokens"
                + (beginsWith == null ? "" : ", " + beginsWith + " before a text")
                + (endsWith == null ? "" : ", " + endsWith + " behind it")
                + (stopTokens.isEmpty() ? "" : ", stops at " + stopTokens);
    }
}
