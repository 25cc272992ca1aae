package org.espalier.train.tokenizer;

import static org.espalier.train.tokenizer.BytePairVocabulary.BEGIN;
import static org.espalier.train.tokenizer.BytePairVocabulary.BEGIN_ID;
import static org.espalier.train.tokenizer.BytePairVocabulary.END;
import static org.espalier.train.tokenizer.BytePairVocabulary.END_ID;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.checkpoint.DurableFiles;
import org.espalier.train.tokenizer.BytePairVocabulary.Merge;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a vocabulary as the files that Hugging Face libraries and their relatives read: {@code tokenizer.json},
 * {@code tokenizer_config.json} and {@code special_tokens_map.json}. Every field of the parts is written out, because
 * some parsers (DJL's) know no defaults.
 */
public final class TokenizerFiles {
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    private TokenizerFiles() {}

    /** Writes the three files into a folder, which is made if need be; each appears only when it is whole. */
    public static void write(BytePairVocabulary vocabulary, Path folder) throws IOException {
        Files.createDirectories(folder);
        write(tokenizer(vocabulary), folder.resolve("tokenizer.json"));
        write(configuration(), folder.resolve("tokenizer_config.json"));
        write(specialTokens(), folder.resolve("special_tokens_map.json"));
    }

    private static void write(ObjectNode content, Path file) throws IOException {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        DurableFiles.write(
                partial, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(content) + "\n");
        DurableFiles.rename(partial, file);
    }

    private static ObjectNode tokenizer(BytePairVocabulary vocabulary) {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        root.putArray("added_tokens")
                .add(addedToken(BEGIN).put("id", BEGIN_ID))
                .add(addedToken(END).put("id", END_ID));
        root.putNull("normalizer");
        root.set("pre_tokenizer", byteLevel());
        root.set("post_processor", beginFirst());
        root.set("decoder", byteLevel());
        root.set("model", model(vocabulary));
        return root;
    }

    private static ObjectNode addedToken(String content) {
        return JSON.createObjectNode()
                .put("content", content)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
    }

    private static ObjectNode byteLevel() {
        return JSON.createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
    }

    private static ObjectNode beginFirst() {
        ObjectNode template = JSON.createObjectNode().put("type", "TemplateProcessing");
        template.putArray("single").add(special(0)).add(sequence("A", 0));
        template.putArray("pair")
                .add(special(0))
                .add(sequence("A", 0))
                .add(special(1))
                .add(sequence("B", 1));
        ObjectNode begin = template.putObject("special_tokens").putObject(BEGIN);
        begin.put("id", BEGIN);
        begin.putArray("ids").add(BEGIN_ID);
        begin.putArray("tokens").add(BEGIN);
        return template;
    }

    private static ObjectNode special(int type) {
        ObjectNode piece = JSON.createObjectNode();
        piece.putObject("SpecialToken").put("id", BEGIN).put("type_id", type);
        return piece;
    }

    private static ObjectNode sequence(String name, int type) {
        ObjectNode piece = JSON.createObjectNode();
        piece.putObject("Sequence").put("id", name).put("type_id", type);
        return piece;
    }

    private static ObjectNode model(BytePairVocabulary vocabulary) {
        ObjectNode model = JSON.createObjectNode().put("type", "BPE");
        model.putNull("dropout");
        model.putNull("unk_token");
        model.putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
        ObjectNode ids = model.putObject("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            ids.put(vocabulary.tokens().get(id), id);
        }
        ArrayNode merges = model.putArray("merges");
        for (Merge merge : vocabulary.merges()) {
            // The older one-string form: every reader knows it, and the byte alphabet has no space
            // to confuse it.
            merges.add(merge.left() + " " + merge.right());
        }
        return model;
    }

    private static ObjectNode configuration() {
        ObjectNode root = JSON.createObjectNode();
        root.put("tokenizer_class", "PreTrainedTokenizerFast");
        root.put("bos_token", BEGIN).put("eos_token", END);
        root.put("add_bos_token", true).put("add_eos_token", false);
        root.put("clean_up_tokenization_spaces", false);
        ObjectNode added = root.putObject("added_tokens_decoder");
        added.set(String.valueOf(BEGIN_ID), addedToken(BEGIN));
        added.set(String.valueOf(END_ID), addedToken(END));
        return root;
    }

    private static ObjectNode specialTokens() {
        return JSON.createObjectNode().put("bos_token", BEGIN).put("eos_token", END);
    }
}
