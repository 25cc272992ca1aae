package org.espalier.checkpoint.gguf;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The tokens at which llama.cpp ends a text: those that a file names, and those that it knows by what they are called
 * (llama.cpp {@code src/llama-vocab.cpp}, b4916).
 */
final class EndTokens {
    private static final Set<String> KNOWN =
            Set.of(
                    "<|eot_id|>",
                    "<|im_end|>",
                    "<|end|>",
                    "<end_of_turn>",
                    "<|endoftext|>",
                    "<|eom_id|>",
                    "<EOT>",
                    "_<EOT>");

    private EndTokens() {}

    /** Whether llama.cpp finds the token by itself. */
    static boolean isKnown(String token) {
        return KNOWN.contains(token);
    }

    /** The ids, that of the end of a text first. */
    static List<Long> of(Metadata metadata) {
        Set<Long> ids = new LinkedHashSet<>();
        Stream.of("eos", "eot", "eom")
                .map(which -> metadata.optionalWhole("tokenizer.ggml." + which + "_token_id"))
                .filter(java.util.Objects::nonNull)
                .forEach(ids::add);
        if (metadata.has("tokenizer.ggml.tokens")) {
            List<String> tokens = metadata.texts("tokenizer.ggml.tokens");
            for (int id = 0; id < tokens.size(); id++) {
                if (isKnown(tokens.get(id))) {
                    ids.add((long) id);
                }
            }
        }
        return List.copyOf(ids);
    }
}
