package org.espalier.checkpoint.gguf;

import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/** What a GGUF file can be instead of a language model, and the one thing to do with it. */
final class NotAModel {
    private NotAModel() {}

    /** Refuses a file that says itself that it is something else, or that has no weights. */
    static void refuse(GgufFile file, Metadata metadata) {
        String what = what(file, metadata);
        if (what != null) {
            throw new UserError(file.path() + " is " + what);
        }
    }

    private static @Nullable String what(GgufFile file, Metadata metadata) {
        String type = metadata.optionalText("general.type");
        String architecture = metadata.optionalText("general.architecture");
        boolean projector =
                "mmproj".equals(type) || "clip".equals(architecture) || "clip-vision".equals(type);
        if ("imatrix".equals(type)) {
            return "an importance matrix, not a model; give it to prune with --imatrix, beside a model";
        }
        if ("adapter".equals(type)) {
            String kind = metadata.optionalText("adapter.type");
            return "an adapter"
                    + (kind == null ? "" : " (" + Text.line(kind) + ")")
                    + ", not a model; join it with its base model (llama-export-lora), and give the result";
        }
        if (projector) {
            return "the projector of a model that sees or hears, not a language model; give the file of the"
                    + " language model that it belongs to";
        }
        if (file.tensors().isEmpty()) {
            return metadata.has("tokenizer.ggml.tokens")
                    ? "a vocabulary without weights; give the file of the whole model"
                    : "a GGUF file without tensors; give the file of a whole model";
        }
        return null;
    }
}
