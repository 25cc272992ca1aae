package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.checkpoint.sentencepiece.Normalizer;
import org.espalier.checkpoint.sentencepiece.SentencePieceModel;
import org.espalier.checkpoint.sentencepiece.SentencePieceReader;
import org.espalier.checkpoint.sentencepiece.TokenizerJson;
import org.espalier.core.UserError;
import tools.jackson.databind.node.ObjectNode;

/** A {@code tokenizer.model}, read as the tokenizer classes of transformers read one. */
final class SentencePieceForm {
    static final String FILE = "tokenizer.model";

    /** The largest vocabularies take some 5 MB. */
    private static final long LARGEST = 1 << 26;

    /** Far more tokens than any model was given later. */
    private static final int MOST_ADDED = 1 << 16;

    private final SentencePieceModel original;
    private final List<SentencePieceModel.Piece> pieces;
    private final Map<String, AddedToken> cuts = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private SentencePieceForm(SentencePieceModel original) {
        this.original = original;
        this.pieces = new ArrayList<>(original.pieces());
    }

    /** Reads the file of a folder, with the tokens that the settings add. */
    static TokenizerForm read(Path folder, TokenizerSettings settings) {
        Path file = folder.resolve(FILE);
        SentencePieceForm form =
                new SentencePieceForm(SentencePieceReader.read(file.toString(), bytes(file)));
        return form.form(settings);
    }

    private static byte[] bytes(Path file) {
        try {
            if (Files.size(file) > LARGEST) {
                throw new UserError(
                        file + " is larger than any such file should be; get the file again");
            }
            byte[] bytes = Files.readAllBytes(file);
            if (isTiktoken(bytes)) {
                throw new UserError(
                        file
                                + " is a list of tokens in base64 (tiktoken), which is not read; put the model's"
                                + " tokenizer.json there");
            }
            return bytes;
        } catch (IOException e) {
            throw IoFailure.reading(file, e);
        }
    }

    /** Lines of base64, a blank and a number; a SentencePiece model begins with a byte that is no letter. */
    private static boolean isTiktoken(byte[] bytes) {
        int at = 0;
        while (at < bytes.length
                && (Character.isLetterOrDigit(bytes[at]) || "+/=".indexOf(bytes[at]) >= 0)) {
            at++;
        }
        return at > 0
                && at + 1 < bytes.length
                && bytes[at] == ' '
                && Character.isDigit(bytes[at + 1]);
    }

    private TokenizerForm form(TokenizerSettings settings) {
        settings.added().values().forEach(this::place);
        SentencePieceModel.Rules rules = rules(settings);
        SentencePieceModel model =
                new SentencePieceModel(
                        pieces,
                        original.unigram(),
                        original.byteFallback(),
                        original.bos(),
                        original.eos(),
                        rules);
        suggest(settings, "bos", model.bos());
        suggest(settings, "eos", model.eos());
        for (int id = 0; id < pieces.size(); id++) {
            SentencePieceModel.Type type = pieces.get(id).type();
            if (type == SentencePieceModel.Type.CONTROL
                    || type == SentencePieceModel.Type.UNKNOWN) {
                cut(AddedToken.special(id, pieces.get(id).text()));
            }
        }
        Set<String> known = new HashSet<>();
        pieces.forEach(piece -> known.add(piece.text()));
        settings.added().values().forEach(this::cut);
        settings.roles().stream()
                .filter(token -> known.contains(token.content()))
                .forEach(this::cut);
        if (settings.kind() == TokenizerClass.OTHER && !settings.className().isEmpty()) {
            notes.add(
                    "the tokenizer class "
                            + Text.quote(settings.className())
                            + " is not known; "
                            + FILE
                            + " is read as it stands");
        }
        if (rules.removesBlanks() && settings.kind() == TokenizerClass.LLAMA) {
            notes.add(
                    FILE
                            + " makes one blank of runs of blanks, as SentencePiece does by it; a tokenizer.json that"
                            + " transformers made of it keeps them");
        }
        boolean legacy = !Boolean.FALSE.equals(settings.flag("legacy"));
        return new TokenizerForm(
                FILE,
                TokenizerJson.of(model),
                new SegmentPreparation(new Normalizer(model), cuts.values(), legacy),
                described(rules),
                notes);
    }

    private void cut(AddedToken token) {
        cuts.put(token.content(), token);
    }

    /** An added token has the id that its file says, in place of a piece or beyond them. */
    private void place(AddedToken token) {
        int id = token.id() == null ? pieces.size() : token.id();
        boolean present = pieces.stream().anyMatch(piece -> piece.text().equals(token.content()));
        if (present) {
            return;
        }
        if (id > original.pieces().size() + MOST_ADDED) {
            notes.add(
                    "the added token "
                            + Text.quote(token.content())
                            + " has the id "
                            + id
                            + ", which no vocabulary reaches, and is left out");
            return;
        }
        while (pieces.size() <= id) {
            pieces.add(
                    new SentencePieceModel.Piece(
                            "<no piece " + pieces.size() + ">", 0, SentencePieceModel.Type.UNUSED));
        }
        SentencePieceModel.Type type = pieces.get(id).type();
        pieces.set(
                id,
                new SentencePieceModel.Piece(
                        token.content(),
                        0,
                        type == SentencePieceModel.Type.UNKNOWN
                                ? type
                                : SentencePieceModel.Type.CONTROL));
    }

    private void suggest(TokenizerSettings settings, String role, int id) {
        if (id >= 0) {
            settings.suggest(role, pieces.get(id).text());
        }
    }

    private SentencePieceModel.Rules rules(TokenizerSettings settings) {
        SentencePieceModel.Rules given = original.rules();
        boolean prefix = !Boolean.FALSE.equals(settings.flag("add_prefix_space"));
        return new SentencePieceModel.Rules(
                given.name(),
                given.charsmap(),
                given.addsPrefix() && prefix,
                given.asSuffix(),
                given.removesBlanks(),
                given.escapesBlanks());
    }

    /** What a tokenizer.json would say of the preparation; of more than blanks, only that there is more. */
    private static ObjectNode described(SentencePieceModel.Rules rules) {
        ObjectNode sequence = Json.MAPPER.createObjectNode().put("type", "Sequence");
        var steps = sequence.putArray("normalizers");
        if (!rules.charsmap().isEmpty() || rules.asSuffix()) {
            steps.addObject().put("type", "Precompiled").put("name", rules.name());
        }
        if (rules.removesBlanks()) {
            ObjectNode blanks = steps.addObject().put("type", "Replace");
            blanks.putObject("pattern").put("Regex", " {2,}");
            blanks.put("content", " ");
        }
        String mark = String.valueOf(Normalizer.MARK);
        if (rules.addsPrefix()) {
            steps.addObject().put("type", "Prepend").put("prepend", mark);
        }
        if (rules.escapesBlanks()) {
            ObjectNode replace = steps.addObject().put("type", "Replace");
            replace.putObject("pattern").put("String", " ");
            replace.put("content", mark);
        }
        return sequence;
    }
}
