package org.espalier.network;

import java.util.Collection;
import org.espalier.core.UserError;
import org.espalier.network.family.Family;

/**
 * Recognizes tensors that have the right names but for what a wrapper has put before all of them: then one hint stands in
 * for as many missing names as there are tensors.
 */
final class ForeignNames {
    private static final String OWN_LAYOUT = "tok_embeddings.weight";

    private ForeignNames() {}

    /** Nothing where the embedding has its name; a {@link UserError} where it has it after a prefix. */
    static void refuse(Family family, Collection<String> names) {
        String embedding = family.names().embedding() + ".weight";
        String prefix = family.optionalPrefix() == null ? "" : family.optionalPrefix();
        String bare =
                embedding.startsWith(prefix) ? embedding.substring(prefix.length()) : embedding;
        if (names.contains(embedding) || names.contains(bare)) {
            return;
        }
        if (names.contains(OWN_LAYOUT)) {
            throw new UserError(
                    "checkpoint: its tensors have the names of the authors' own code ("
                            + OWN_LAYOUT
                            + "); get the model in the Hugging Face layout");
        }
        for (String expected : new String[] {embedding, bare}) {
            for (String name : names) {
                if (name.endsWith("." + expected)) {
                    String found = name.substring(0, name.length() - expected.length());
                    throw new UserError(
                            "checkpoint: its tensors have '"
                                    + found
                                    + "' before their names ("
                                    + name
                                    + " where "
                                    + expected
                                    + " is due)"
                                    + origin(found)
                                    + "; save the model without that prefix");
                }
            }
        }
    }

    private static String origin(String prefix) {
        if (prefix.contains("_orig_mod")) {
            return ", which torch.compile puts there";
        }
        if (prefix.startsWith("module.")) {
            return ", which data-parallel training puts there";
        }
        if (prefix.startsWith("base_model.")) {
            return ", which PEFT puts there";
        }
        return prefix.contains("language_model") || prefix.contains("text_model")
                ? ": this is a multimodal model around a language model"
                : "";
    }
}
