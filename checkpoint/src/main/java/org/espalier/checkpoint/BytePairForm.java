package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.espalier.core.UserError;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Byte-level BPE as {@code vocab.json} and {@code merges.txt}, read as transformers reads GPT-2 and its kin ({@code
 * GPT2Converter}, {@code Qwen2Converter}).
 */
final class BytePairForm {
    static final String VOCABULARY = "vocab.json";
    static final String MERGES = "merges.txt";
    static final String FILES = VOCABULARY + " and " + MERGES;

    /** How Qwen cuts a text before it merges. */
    private static final String QWEN2 =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private BytePairForm() {}

    /** Reads the two files of a folder, with the tokens that the settings add. */
    static TokenizerForm read(Path folder, TokenizerSettings settings) {
        ObjectNode vocabulary = Json.readObject(folder.resolve(VOCABULARY));
        ObjectNode json = Json.MAPPER.createObjectNode().put("version", "1.0");
        json.putArray("added_tokens");
        boolean prefix = Objects.requireNonNullElse(settings.flag("add_prefix_space"), false);
        if (settings.kind() == TokenizerClass.QWEN2 || settings.kind() == TokenizerClass.NEOX) {
            json.putObject("normalizer").put("type", "NFC");
        } else {
            json.putNull("normalizer");
        }
        ObjectNode cutting = json.putObject("pre_tokenizer");
        if (settings.kind() == TokenizerClass.QWEN2) {
            ArrayNode steps = cutting.put("type", "Sequence").putArray("pretokenizers");
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", QWEN2);
            split.put("behavior", "Isolated").put("invert", false);
            byteLevel(steps.addObject(), prefix, false);
        } else {
            byteLevel(cutting, prefix, true);
        }
        json.putNull("post_processor");
        byteLevel(json.putObject("decoder"), false, true);
        ObjectNode model =
                json.putObject("model")
                        .put("type", "BPE")
                        .put("continuing_subword_prefix", "")
                        .put("end_of_word_suffix", "")
                        .put("fuse_unk", false);
        // An added token has the id that its file says.
        settings.added().values().stream()
                .filter(token -> token.id() != null && !vocabulary.has(token.content()))
                .forEach(token -> vocabulary.put(token.content(), token.id()));
        model.set("vocab", vocabulary);
        merges(folder.resolve(MERGES), model.putArray("merges"));
        return new TokenizerForm(FILES, json, TextPreparation.NONE, null, List.of());
    }

    private static void byteLevel(ObjectNode step, boolean prefix, boolean regex) {
        step.put("type", "ByteLevel")
                .put("add_prefix_space", prefix)
                .put("trim_offsets", true)
                .put("use_regex", regex);
    }

    private static void merges(Path file, ArrayNode merges) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw new UserError(file + " is not UTF-8 text; get the file again", e);
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
        for (int line = 0; line < lines.size(); line++) {
            String merge = lines.get(line);
            if (merge.isEmpty() || (line == 0 && merge.startsWith("#version"))) {
                continue;
            }
            String[] parts = merge.split(" ", -1);
            if (parts.length != 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
                throw new UserError(
                        file
                                + ": line "
                                + (line + 1)
                                + " must be two tokens with a blank between but is "
                                + Text.quote(merge)
                                + "; get the file again");
            }
            merges.addArray().add(parts[0]).add(parts[1]);
        }
    }
}
