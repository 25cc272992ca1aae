package org.espalier.checkpoint;

import java.util.OptionalInt;

/**
 * The ids that begin and end a text.
 *
 * @param bos the token before it
 * @param eos the token behind it
 */
record SpecialTokens(OptionalInt bos, OptionalInt eos) {
    /** What the settings name: by content, or, where the vocabulary has no such token, by id. */
    static SpecialTokens of(TokenizerSettings settings, Vocabulary vocabulary) {
        return new SpecialTokens(
                find(settings, vocabulary, "bos"), find(settings, vocabulary, "eos"));
    }

    private static OptionalInt find(
            TokenizerSettings settings, Vocabulary vocabulary, String role) {
        AddedToken token = settings.role(role);
        OptionalInt named = token == null ? OptionalInt.empty() : vocabulary.id(token.content());
        if (named.isPresent()) {
            return named;
        }
        Integer id = settings.id(role);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
