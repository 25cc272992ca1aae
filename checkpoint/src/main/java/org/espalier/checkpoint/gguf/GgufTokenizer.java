package org.espalier.checkpoint.gguf;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.espalier.checkpoint.Json;
import org.espalier.checkpoint.PostProcessors;
import org.espalier.checkpoint.Text;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.sentencepiece.PieceMerges;
import org.espalier.checkpoint.sentencepiece.TokenizerJson;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes of a GGUF file's {@code tokenizer.ggml.*} the {@code tokenizer.json} that Hugging Face would have: SentencePiece
 * BPE ("llama") and byte-level BPE ("gpt2").
 */
public final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final long UNKNOWN = 2;
    private static final long CONTROL = 3;
    private static final long USER_DEFINED = 4;

    private final Metadata metadata;
    private final List<String> tokens;
    private final List<Long> types;
    private final ObjectNode json = JsonMapper.shared().createObjectNode();

    private GgufTokenizer(Metadata metadata) {
        this.metadata = metadata;
        this.tokens = metadata.texts(PREFIX + "tokens");
        this.types =
                metadata.has(PREFIX + "token_type")
                        ? metadata.wholes(PREFIX + "token_type")
                        : tokens.stream().map(token -> 1L).toList();
        if (types.size() != tokens.size()) {
            throw wrong("as many token types as tokens", types.size() + " and " + tokens.size());
        }
    }

    /** Opens the tokenizer of a file; the caller closes it. What cannot be translated is a {@link UserError}. */
    public static Tokenizer open(GgufFile file) {
        return open(new Metadata(file.path(), file.metadata()));
    }

    static Tokenizer open(Metadata metadata) {
        GgufTokenizer builder = new GgufTokenizer(metadata);
        ObjectNode json = builder.build();
        return Tokenizer.of(
                String.valueOf(metadata.file()), json, builder.id("bos"), builder.id("eos"));
    }

    /** The files that Hugging Face would have: {@code tokenizer.json} and {@code tokenizer_config.json}. */
    static Map<String, byte[]> files(Metadata metadata) {
        GgufTokenizer builder = new GgufTokenizer(metadata);
        ObjectNode json = builder.build();
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        builder.name(config, "bos_token", builder.id("bos"));
        builder.name(config, "eos_token", builder.id("eos"));
        builder.name(config, "unk_token", builder.id("unknown"));
        builder.name(config, "pad_token", builder.id("padding"));
        String template = builder.metadata.optionalText("tokenizer.chat_template");
        if (template != null) {
            config.put("chat_template", template);
        }
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("tokenizer.json", Json.pretty(json));
        files.put("tokenizer_config.json", Json.pretty(config));
        return files;
    }

    private void name(ObjectNode config, String key, OptionalInt id) {
        if (id.isPresent()) {
            config.put(key, tokens.get(id.getAsInt()));
        }
    }

    private ObjectNode build() {
        String model = metadata.text(PREFIX + "model");
        boolean pieces = model.equals("llama");
        if (!pieces && !model.equals("gpt2")) {
            throw wrong("a tokenizer of kind llama or gpt2", Text.quote(model));
        }
        Map<String, Integer> vocabulary = vocabulary();
        json.put("version", "1.0");
        addTokens();
        ObjectNode bpe = json.putObject("model").put("type", "BPE");
        if (pieces) {
            sentencePiece(bpe, vocabulary);
        } else {
            PreTokenizer.put(json, metadata);
            bpe.put("ignore_merges", PreTokenizer.ignoresMerges(metadata));
            merges(bpe, vocabulary);
        }
        ObjectNode ids = bpe.putObject("vocab");
        vocabulary.forEach(ids::put);
        boolean begins = pieces || PreTokenizer.beginsWithBos(metadata);
        template(
                metadata.flag(PREFIX + "add_bos_token", begins),
                metadata.flag(PREFIX + "add_eos_token", false));
        return json;
    }

    private Map<String, Integer> vocabulary() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            Integer other = vocabulary.put(tokens.get(id), id);
            if (other != null) {
                throw wrong(
                        "every token once",
                        "token " + Text.quote(tokens.get(id)) + " as " + other + " and " + id);
            }
        }
        return vocabulary;
    }

    private void addTokens() {
        ArrayNode added = json.putArray("added_tokens");
        for (int id = 0; id < tokens.size(); id++) {
            long type = types.get(id);
            if (type == CONTROL || type == UNKNOWN || type == USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", tokens.get(id))
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", type != USER_DEFINED);
            }
        }
    }

    private void sentencePiece(ObjectNode bpe, Map<String, Integer> vocabulary) {
        boolean spaced = metadata.flag(PREFIX + "add_space_prefix", true);
        ArrayNode normalizers =
                json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (spaced) {
            normalizers.addObject().put("type", "Prepend").put("prepend", PieceMerges.SPACE);
        }
        ObjectNode replace = normalizers.addObject().put("type", "Replace");
        replace.putObject("pattern").put("String", " ");
        replace.put("content", PieceMerges.SPACE);
        TokenizerJson.decoder(json, spaced);
        OptionalInt unknown = id("unknown");
        if (unknown.isPresent()) {
            bpe.put("unk_token", tokens.get(unknown.getAsInt()));
        }
        bpe.put("fuse_unk", true).put("byte_fallback", true);
        List<Double> scores = metadata.reals(PREFIX + "scores");
        if (scores.size() != tokens.size()) {
            throw wrong("as many scores as tokens", scores.size() + " and " + tokens.size());
        }
        ArrayNode merges = bpe.putArray("merges");
        for (PieceMerges.Merge merge : PieceMerges.of(tokens, scores, types, vocabulary)) {
            merges.addArray().add(merge.left()).add(merge.right());
        }
    }

    private void merges(ObjectNode bpe, Map<String, Integer> vocabulary) {
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : metadata.texts(PREFIX + "merges")) {
            int space = merge.indexOf(' ');
            String left = space < 0 ? merge : merge.substring(0, space);
            String right = merge.substring(space + 1);
            boolean known =
                    space > 0
                            && vocabulary.containsKey(left)
                            && vocabulary.containsKey(right)
                            && vocabulary.containsKey(left + right);
            if (!known) {
                throw wrong("merges of two tokens into a third", "the merge " + Text.quote(merge));
            }
            merges.addArray().add(left).add(right);
        }
    }

    /** BOS before and EOS behind the text, as llama.cpp adds them. */
    private void template(boolean bos, boolean eos) {
        PostProcessors.put(json, bos ? token("bos") : null, eos ? token("eos") : null);
    }

    private PostProcessors.@Nullable Token token(String which) {
        OptionalInt id = id(which);
        return id.isEmpty()
                ? null
                : new PostProcessors.Token(tokens.get(id.getAsInt()), id.getAsInt());
    }

    private OptionalInt id(String which) {
        @Nullable Long id = metadata.optionalWhole(PREFIX + which + "_token_id");
        if (id == null) {
            return OptionalInt.empty();
        }
        if (id < 0 || id >= tokens.size()) {
            throw wrong("a " + which + " token below " + tokens.size(), String.valueOf(id));
        }
        return OptionalInt.of(id.intValue());
    }

    private UserError wrong(String expected, String found) {
        return new UserError(
                metadata.file()
                        + " must have "
                        + expected
                        + " but has "
                        + found
                        + "; use the Hugging Face folder of the model, or token ids instead of text");
    }
}
