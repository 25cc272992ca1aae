package org.espalier.checkpoint.sentencepiece;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A SentencePiece model in the form of a {@code tokenizer.json}, after transformers' {@code SpmConverter}. It has no
 * normalizer: texts go through {@link Normalizer} first.
 */
public final class TokenizerJson {
    private TokenizerJson() {}

    /** The model with its own control and user-defined pieces as added tokens. */
    public static ObjectNode of(SentencePieceModel model) {
        ObjectNode json = JsonMapper.shared().createObjectNode();
        json.put("version", "1.0").putNull("truncation").putNull("padding");
        addTokens(json.putArray("added_tokens"), model);
        json.putNull("normalizer").putNull("pre_tokenizer").putNull("post_processor");
        decoder(json, model.rules().addsPrefix());
        ObjectNode inner = json.putObject("model");
        if (model.unigram()) {
            unigram(inner, model);
        } else {
            bpe(inner, model);
        }
        return json;
    }

    private static void addTokens(ArrayNode added, SentencePieceModel model) {
        List<SentencePieceModel.Piece> pieces = model.pieces();
        for (int id = 0; id < pieces.size(); id++) {
            SentencePieceModel.Type type = pieces.get(id).type();
            boolean defined = type == SentencePieceModel.Type.USER_DEFINED;
            if (defined
                    || type == SentencePieceModel.Type.CONTROL
                    || type == SentencePieceModel.Type.UNKNOWN) {
                added.addObject()
                        .put("id", id)
                        .put("content", pieces.get(id).text())
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", !defined);
            }
        }
    }

    /** How pieces become text again; {@code strips} says whether the blank before it was only written to cut it. */
    public static void decoder(ObjectNode json, boolean strips) {
        String mark = String.valueOf(Normalizer.MARK);
        ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
        ObjectNode back = decoders.addObject().put("type", "Replace");
        back.putObject("pattern").put("String", mark);
        back.put("content", " ");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        if (strips) {
            decoders.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
    }

    private static void bpe(ObjectNode json, SentencePieceModel model) {
        List<SentencePieceModel.Piece> pieces = model.pieces();
        json.put("type", "BPE")
                .put("unk_token", pieces.get(model.unknown()).text())
                .put("fuse_unk", true)
                .put("byte_fallback", model.byteFallback())
                .put("ignore_merges", false);
        ObjectNode vocabulary = json.putObject("vocab");
        List<String> tokens = new ArrayList<>();
        List<Double> scores = new ArrayList<>();
        List<Long> types = new ArrayList<>();
        Map<String, Integer> normal = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            SentencePieceModel.Piece piece = pieces.get(id);
            vocabulary.put(piece.text(), id);
            tokens.add(piece.text());
            scores.add((double) piece.score());
            types.add((long) piece.type().number());
            if (piece.type() == SentencePieceModel.Type.NORMAL) {
                normal.put(piece.text(), id);
            }
        }
        ArrayNode merges = json.putArray("merges");
        for (PieceMerges.Merge merge : PieceMerges.of(tokens, scores, types, normal)) {
            merges.addArray().add(merge.left()).add(merge.right());
        }
    }

    /**
     * The library matches every piece of its list, SentencePiece only normal and user-defined ones. A piece that begins
     * with a plain blank matches nothing, since texts have U+2581 instead; bytes are looked up by name and keep it.
     */
    private static void unigram(ObjectNode json, SentencePieceModel model) {
        json.put("type", "Unigram")
                .put("unk_id", model.unknown())
                .put("byte_fallback", model.byteFallback());
        double lowest =
                model.pieces().stream()
                        .filter(piece -> piece.type() == SentencePieceModel.Type.NORMAL)
                        .mapToDouble(SentencePieceModel.Piece::score)
                        .min()
                        .orElse(0);
        ArrayNode vocabulary = json.putArray("vocab");
        for (SentencePieceModel.Piece piece : model.pieces()) {
            boolean matched =
                    piece.type() == SentencePieceModel.Type.NORMAL
                            || piece.type() == SentencePieceModel.Type.USER_DEFINED;
            boolean unused = piece.type() == SentencePieceModel.Type.UNUSED;
            vocabulary
                    .addArray()
                    .add(unused ? " " + piece.text() : piece.text())
                    .add(matched ? piece.score() : lowest);
        }
    }
}
