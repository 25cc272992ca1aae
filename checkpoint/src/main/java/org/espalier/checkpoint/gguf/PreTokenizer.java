package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How byte-level BPE cuts a text before it merges: {@code tokenizer.ggml.pre} against {@code tokenizer.json}. */
final class PreTokenizer {
    private static final String KEY = "tokenizer.ggml.pre";

    /** What the library's ByteLevel cuts with by itself. */
    private static final String GPT2 = Cutting.GPT2.expressions().getFirst();

    private static final String DIGIT = Cutting.SINGLE_DIGITS.expressions().getFirst();

    private PreTokenizer() {}

    /** Sets normalizer, pre-tokenizer and decoder. */
    static void put(ObjectNode json, Metadata metadata) {
        byteLevel(json.putObject("decoder"), true);
        Cutting cutting = cutting(metadata);
        if (cutting == Cutting.QWEN2_NORMALIZED) {
            json.putObject("normalizer").put("type", "NFC");
        }
        if (cutting == Cutting.GPT2) {
            byteLevel(json.putObject("pre_tokenizer"), true);
            return;
        }
        ArrayNode steps =
                json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        if (cutting == Cutting.SINGLE_DIGITS) {
            steps.addObject().put("type", "Digits").put("individual_digits", true);
            byteLevel(steps.addObject(), true);
            return;
        }
        for (String expression : cutting.expressions()) {
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", expression);
            split.put("behavior", "Isolated").put("invert", false);
        }
        byteLevel(steps.addObject(), false);
    }

    /**
     * A name with what it does not say.
     *
     * @param name for {@code tokenizer.ggml.pre}
     * @param note what llama.cpp does otherwise; null where it does the same
     */
    record Named(String name, @Nullable String note) {}

    /** The name for the way of a {@code tokenizer.json}; a way without a name is a {@link UserError}. */
    static Named nameOf(ObjectNode json, String where) {
        JsonNode given = json.path("pre_tokenizer");
        List<JsonNode> steps = new ArrayList<>();
        if (given.path("type").asString("").equals("Sequence")) {
            given.path("pretokenizers").forEach(steps::add);
        } else {
            steps.add(given);
        }
        List<String> expressions = new ArrayList<>();
        boolean bytes = false;
        for (JsonNode step : steps) {
            String expression = expression(step);
            if (step.path("type").asString("").equals("ByteLevel")) {
                if (bytes || step.path("add_prefix_space").asBoolean(true)) {
                    throw unnamed(where);
                }
                bytes = true;
                if (!step.path("use_regex").asBoolean(true)) {
                    continue;
                }
                expression = GPT2;
            }
            if (expression == null) {
                throw unnamed(where);
            }
            expressions.add(expression);
        }
        Cutting cutting = Cutting.of(expressions);
        if (!bytes || cutting == null) {
            throw unnamed(where);
        }
        String note =
                Cutting.isOnlyNear(expressions)
                        ? "llama.cpp cuts words of other scripts at capitals and combining marks otherwise than"
                                + " this tokenizer, so such texts may become other tokens there"
                        : null;
        return new Named(cutting.firstName(), note);
    }

    private static @Nullable String expression(JsonNode step) {
        return switch (step.path("type").asString("")) {
            case "Digits" -> step.path("individual_digits").asBoolean(false) ? DIGIT : null;
            case "Split" -> {
                boolean isolates =
                        step.path("behavior").asString("").equals("Isolated")
                                && !step.path("invert").asBoolean(false);
                yield isolates ? step.path("pattern").path("Regex").asString(null) : null;
            }
            default -> null;
        };
    }

    private static UserError unnamed(String where) {
        return new UserError(
                "the tokenizer of "
                        + where
                        + " cuts text in a way that has no name in GGUF here; known are "
                        + String.join(", ", Cutting.known())
                        + ": export to safetensors instead");
    }

    /** Whether a word that is a token is taken whole, as Llama 3 does. */
    static boolean ignoresMerges(Metadata metadata) {
        return cutting(metadata).ignoresMerges();
    }

    /** Whether llama.cpp puts BOS in front where the file does not say. */
    static boolean beginsWithBos(Metadata metadata) {
        return cutting(metadata).beginsWithBos();
    }

    private static Cutting cutting(Metadata metadata) {
        String given = metadata.optionalText(KEY);
        String name = given == null || given.isEmpty() ? "default" : given;
        Cutting cutting = Cutting.named(name);
        if (cutting == null) {
            throw new UserError(
                    metadata.file()
                            + " cuts text in the way "
                            + Text.quote(name)
                            + " ("
                            + KEY
                            + "), which is not known; known are "
                            + String.join(", ", Cutting.known())
                            + ": give token ids instead of text, or use the Hugging Face folder of the model");
        }
        return cutting;
    }

    private static void byteLevel(ObjectNode step, boolean regex) {
        step.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", regex);
    }
}
