package org.espalier.checkpoint.sentencepiece;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.espalier.core.UserError;

/**
 * Reads the {@code ModelProto} of a SentencePiece model: its pieces, and of its specifications the fields that decide how
 * a text is cut (numbers and defaults: sentencepiece_model.proto).
 */
public final class SentencePieceReader {
    private static final int UNIGRAM = 1;
    private static final int BPE = 2;

    private static final SentencePieceModel.Type[] TYPES = SentencePieceModel.Type.values();

    private final String source;
    private final List<SentencePieceModel.Piece> pieces = new ArrayList<>();
    private int modelType = UNIGRAM;
    private boolean byteFallback;
    private boolean asSuffix;
    private int bos = 1;
    private int eos = 2;
    private String name = "";
    private byte[] charsmap = {};
    private boolean addsPrefix = true;
    private boolean removesBlanks = true;
    private boolean escapesBlanks = true;

    private SentencePieceReader(String source) {
        this.source = source;
    }

    /** Takes one field of a message; {@code bytes} is empty for numbers, {@code number} 0 for bytes. */
    @FunctionalInterface
    private interface Fields {
        void take(int field, long number, byte[] bytes);
    }

    /**
     * Reads a model.
     *
     * @param source names the file in messages
     * @throws UserError where it is damaged or of a kind that cannot be run
     */
    public static SentencePieceModel read(String source, byte[] bytes) {
        SentencePieceReader reader = new SentencePieceReader(source);
        reader.message(
                bytes,
                (field, number, part) -> {
                    switch (field) {
                        case 1 -> reader.piece(part);
                        case 2 -> reader.message(part, reader::trainer);
                        case 3 -> reader.message(part, reader::normalizer);
                        default -> {}
                    }
                });
        return reader.model();
    }

    private void message(byte[] bytes, Fields fields) {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        try {
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                int field = WireFormat.getTagFieldNumber(tag);
                switch (WireFormat.getTagWireType(tag)) {
                    case WireFormat.WIRETYPE_VARINT ->
                            fields.take(field, in.readRawVarint64(), new byte[0]);
                    case WireFormat.WIRETYPE_FIXED32 ->
                            fields.take(field, in.readRawLittleEndian32(), new byte[0]);
                    case WireFormat.WIRETYPE_LENGTH_DELIMITED ->
                            fields.take(field, 0, in.readByteArray());
                    default -> in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw damaged("is cut off or malformed", e);
        }
    }

    private void piece(byte[] bytes) {
        String[] text = {""};
        float[] score = {0};
        long[] type = {1};
        message(
                bytes,
                (field, number, part) -> {
                    switch (field) {
                        case 1 -> text[0] = text(part);
                        case 2 -> score[0] = Float.intBitsToFloat((int) number);
                        case 3 -> type[0] = number;
                        default -> {}
                    }
                });
        if (type[0] < 1 || type[0] > TYPES.length) {
            throw damaged("has piece " + pieces.size() + " of the unknown type " + type[0], null);
        }
        if (!Float.isFinite(score[0])) {
            throw damaged("has piece " + pieces.size() + " with a score that is no number", null);
        }
        pieces.add(new SentencePieceModel.Piece(text[0], score[0], TYPES[(int) type[0] - 1]));
    }

    private void trainer(int field, long number, byte[] bytes) {
        switch (field) {
            case 3 -> modelType = (int) number;
            case 24 -> asSuffix = number != 0;
            case 35 -> byteFallback = number != 0;
            case 41 -> bos = (int) number;
            case 42 -> eos = (int) number;
            default -> {}
        }
    }

    private void normalizer(int field, long number, byte[] bytes) {
        switch (field) {
            case 1 -> name = text(bytes);
            case 2 -> charsmap = bytes;
            case 3 -> addsPrefix = number != 0;
            case 4 -> removesBlanks = number != 0;
            case 5 -> escapesBlanks = number != 0;
            default -> {}
        }
    }

    private String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw damaged("has a text that is not UTF-8", e);
        }
    }

    private SentencePieceModel model() {
        if (pieces.isEmpty()) {
            throw damaged("has no pieces", null);
        }
        if (modelType != UNIGRAM && modelType != BPE) {
            throw new UserError(
                    source
                            + " is a SentencePiece model of type "
                            + modelType
                            + "; only unigram (1) and BPE (2) can be run: give token ids instead of text");
        }
        Set<String> seen = new HashSet<>();
        int unknown = 0;
        for (SentencePieceModel.Piece piece : pieces) {
            if (piece.text().isEmpty() || !seen.add(piece.text())) {
                throw damaged("has an empty piece, or one piece twice", null);
            }
            unknown += piece.type() == SentencePieceModel.Type.UNKNOWN ? 1 : 0;
        }
        if (unknown != 1) {
            throw damaged("has " + unknown + " pieces for the unknown instead of one", null);
        }
        Charsmap replacements;
        try {
            replacements = Charsmap.of(charsmap);
        } catch (IllegalArgumentException e) {
            throw damaged("has a table of characters that is damaged", e);
        }
        return new SentencePieceModel(
                pieces,
                modelType == UNIGRAM,
                byteFallback,
                inVocabulary(bos),
                inVocabulary(eos),
                new SentencePieceModel.Rules(
                        name, replacements, addsPrefix, asSuffix, removesBlanks, escapesBlanks));
    }

    private int inVocabulary(int id) {
        return id >= 0 && id < pieces.size() ? id : -1;
    }

    private UserError damaged(String how, @org.jspecify.annotations.Nullable Throwable cause) {
        String message = source + " is no SentencePiece model: it " + how + "; get the file again";
        return cause == null ? new UserError(message) : new UserError(message, cause);
    }
}
