package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How byte-level BPE cuts a text before it merges; {@code tokenizer.ggml.pre} names the way. */
final class PreTokenizer {
    private static final String KEY = "tokenizer.ggml.pre";

    /** Contractions, letters, digits, others, line ends, spaces; {@code %s} stands for how many digits go together. */
    private static final String PATTERN =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}%s"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private PreTokenizer() {}

    /** Sets normalizer, pre-tokenizer and decoder. */
    static void put(ObjectNode json, Metadata metadata) {
        byteLevel(json.putObject("decoder"), true);
        String name = name(metadata);
        switch (name) {
            case "gpt-2" -> byteLevel(json.putObject("pre_tokenizer"), true);
            case "smollm" -> {
                ArrayNode steps = steps(json);
                steps.addObject().put("type", "Digits").put("individual_digits", true);
                byteLevel(steps.addObject(), true);
            }
            case "llama-bpe" -> split(json, PATTERN.replace("%s", "{1,3}"));
            case "qwen2" -> {
                json.putObject("normalizer").put("type", "NFC");
                split(json, PATTERN.replace("%s", ""));
            }
            default ->
                    throw new UserError(
                            metadata.file()
                                    + " cuts text in the way "
                                    + Text.quote(name)
                                    + " ("
                                    + KEY
                                    + "), which is not known; known are gpt-2, llama-bpe, qwen2, smollm: give token"
                                    + " ids instead of text, or use the Hugging Face folder of the model");
        }
    }

    /** The name for the way of a {@code tokenizer.json}; a way without a name is a {@link UserError}. */
    static String nameOf(ObjectNode json, String where) {
        JsonNode given = json.path("pre_tokenizer");
        List<JsonNode> steps = new ArrayList<>();
        if (given.path("type").asString("").equals("Sequence")) {
            given.path("pretokenizers").forEach(steps::add);
        } else {
            steps.add(given);
        }
        JsonNode last = steps.isEmpty() ? given : steps.getLast();
        boolean bytes =
                last.path("type").asString("").equals("ByteLevel")
                        && !last.path("add_prefix_space").asBoolean(true);
        boolean regex = last.path("use_regex").asBoolean(true);
        if (bytes && regex && steps.size() == 1) {
            return "gpt-2";
        }
        JsonNode first = steps.getFirst();
        if (bytes
                && regex
                && steps.size() == 2
                && first.path("type").asString("").equals("Digits")
                && first.path("individual_digits").asBoolean(false)) {
            return "smollm";
        }
        String pattern = first.path("pattern").path("Regex").asString("");
        boolean split =
                bytes
                        && !regex
                        && steps.size() == 2
                        && first.path("behavior").asString("").equals("Isolated")
                        && !first.path("invert").asBoolean(false);
        if (split && pattern.equals(PATTERN.replace("%s", "{1,3}"))) {
            return "llama-bpe";
        }
        if (split && pattern.equals(PATTERN.replace("%s", ""))) {
            return "qwen2";
        }
        throw new UserError(
                "the tokenizer of "
                        + where
                        + " cuts text in a way that has no name in GGUF here; known are gpt-2, llama-bpe,"
                        + " qwen2, smollm: export to safetensors instead");
    }

    /** Whether a word that is a token is taken whole, as Llama 3 does. */
    static boolean ignoresMerges(Metadata metadata) {
        return name(metadata).equals("llama-bpe");
    }

    /** Whether llama.cpp puts BOS in front where the file does not say. */
    static boolean beginsWithBos(Metadata metadata) {
        return name(metadata).equals("llama-bpe");
    }

    private static String name(Metadata metadata) {
        String name = metadata.optionalText(KEY);
        return name == null ? "default" : name;
    }

    private static void split(ObjectNode json, String pattern) {
        ArrayNode steps = steps(json);
        ObjectNode split = steps.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", pattern);
        split.put("behavior", "Isolated").put("invert", false);
        byteLevel(steps.addObject(), false);
    }

    private static ArrayNode steps(ObjectNode json) {
        return json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    }

    private static void byteLevel(ObjectNode step, boolean regex) {
        step.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", regex);
    }
}
