package org.espalier.checkpoint.sentencepiece;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Writes SentencePiece models field by field, as the trainer would. */
public final class SentencePieceBuilder {
    private final List<byte[]> pieces = new ArrayList<>();
    private int modelType = 2;
    private boolean byteFallback;
    private boolean asSuffix;
    private String name = "identity";
    private byte[] charsmap = {};
    private boolean addsPrefix = true;
    private boolean removesBlanks;
    private boolean escapesBlanks = true;

    /** Writes the fields of one message. */
    @FunctionalInterface
    private interface Fields {
        void write(CodedOutputStream out) throws IOException;
    }

    private static byte[] message(Fields fields) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            fields.write(out);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    public SentencePieceBuilder piece(String text, double score, SentencePieceModel.Type type) {
        pieces.add(
                message(out -> {
                    out.writeString(1, text);
                    out.writeFloat(2, (float) score);
                    if (type != SentencePieceModel.Type.NORMAL) {
                        out.writeEnum(3, type.number());
                    }
                }));
        return this;
    }

    /** {@code <unk>}, {@code <s>} and {@code </s>} with the ids 0, 1 and 2. */
    public SentencePieceBuilder usual() {
        return piece("<unk>", 0, SentencePieceModel.Type.UNKNOWN)
                .piece("<s>", 0, SentencePieceModel.Type.CONTROL)
                .piece("</s>", 0, SentencePieceModel.Type.CONTROL);
    }

    /** A piece for each byte. */
    public SentencePieceBuilder bytes() {
        byteFallback = true;
        for (int value = 0; value < 256; value++) {
            piece("<0x%02X>".formatted(value), 0, SentencePieceModel.Type.BYTE);
        }
        return this;
    }

    public SentencePieceBuilder normal(String text, double score) {
        return piece(text, score, SentencePieceModel.Type.NORMAL);
    }

    public SentencePieceBuilder modelType(int type) {
        modelType = type;
        return this;
    }

    public SentencePieceBuilder unigram() {
        return modelType(1);
    }

    public SentencePieceBuilder charsmap(String rules, byte[] table) {
        name = rules;
        charsmap = table;
        return this;
    }

    public SentencePieceBuilder blanks(boolean prefix, boolean removes, boolean escapes) {
        addsPrefix = prefix;
        removesBlanks = removes;
        escapesBlanks = escapes;
        return this;
    }

    public SentencePieceBuilder asSuffix() {
        asSuffix = true;
        return this;
    }

    public byte[] build() {
        byte[] trainer =
                message(out -> {
                    out.writeEnum(3, modelType);
                    out.writeBool(24, asSuffix);
                    out.writeBool(35, byteFallback);
                    out.writeInt32(40, 0);
                    out.writeInt32(41, 1);
                    out.writeInt32(42, 2);
                    out.writeInt32(43, -1);
                });
        byte[] normalizer =
                message(out -> {
                    out.writeString(1, name);
                    out.writeByteArray(2, charsmap);
                    out.writeBool(3, addsPrefix);
                    out.writeBool(4, removesBlanks);
                    out.writeBool(5, escapesBlanks);
                });
        return message(out -> {
            for (byte[] piece : pieces) {
                out.writeByteArray(1, piece);
            }
            out.writeByteArray(2, trainer);
            out.writeByteArray(3, normalizer);
        });
    }
}
