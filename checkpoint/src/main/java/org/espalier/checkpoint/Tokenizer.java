package org.espalier.checkpoint;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.espalier.core.UserError;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tokenizer of a checkpoint, as {@code tokenizer.json} describes it, run by the Hugging Face tokenizers library.
 * Text is never truncated or padded, whatever the file asks for: windows are cut elsewhere. Safe for many threads.
 */
public final class Tokenizer implements AutoCloseable {
    static {
        // DJL otherwise probes the network on first use.
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    private static final Map<String, String> NEITHER_CUT_NOR_FILLED =
            Map.of("truncation", "false", "padding", "false");

    /** A word, to see what is added around it. */
    private static final String FRAMED = "a";

    private final HuggingFaceTokenizer tokenizer;
    private final TokenizerParts parts;
    private final SpecialTokens special;
    private final int vocabularySize;
    private final boolean addsBos;

    private Tokenizer(HuggingFaceTokenizer tokenizer, TokenizerParts parts, int vocabularySize) {
        this.tokenizer = tokenizer;
        this.parts = parts;
        this.special = parts.special();
        this.vocabularySize = vocabularySize;
        // Of an empty text only that remains which the post-processor adds.
        long[] added = encode("", true);
        this.addsBos =
                added.length > 0
                        && special.bos().isPresent()
                        && added[0] == special.bos().getAsInt();
    }

    /** The tokenizer of a checkpoint folder, with all that the files beside it say of it. */
    public static Tokenizer fromFolder(Path folder) {
        TokenizerSettings settings = TokenizerSettings.beside(folder);
        TokenizerForm form = TokenizerForm.in(folder, settings);
        return open(folder.resolve(form.name()).toString(), TokenizerParts.of(form, settings));
    }

    /** The tokenizer in a {@code tokenizer.json}, with what the files beside it say of it. */
    public static Tokenizer fromFile(Path file) {
        Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
        TokenizerForm form = TokenizerForm.json(file);
        return open(
                String.valueOf(file), TokenizerParts.of(form, TokenizerSettings.beside(folder)));
    }

    /**
     * A tokenizer that was built in memory.
     *
     * @param source where it comes from, for messages
     * @param json what {@code tokenizer.json} would say
     */
    public static Tokenizer of(String source, ObjectNode json, OptionalInt bos, OptionalInt eos) {
        SpecialTokens special = new SpecialTokens(bos, eos);
        return open(
                source, new TokenizerParts(json, special, TextPreparation.NONE, null, List.of()));
    }

    private static Tokenizer open(String source, TokenizerParts parts) {
        HuggingFaceTokenizer library = library(source, parts.json());
        boolean opened = false;
        try {
            Tokenizer tokenizer = new Tokenizer(library, parts, Vocabulary.of(parts.json()).size());
            opened = true;
            return tokenizer;
        } finally {
            if (!opened) {
                library.close();
            }
        }
    }

    private static HuggingFaceTokenizer library(String source, ObjectNode json) {
        TokenizerCheck.check(source, json);
        json.putNull("truncation");
        json.putNull("padding");
        try {
            return HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(Json.MAPPER.writeValueAsBytes(json)),
                    NEITHER_CUT_NOR_FILLED);
        } catch (IOException | RuntimeException e) {
            throw new UserError(
                    source
                            + " is no tokenizer that can be read ("
                            + Text.line(String.valueOf(e.getMessage()))
                            + "); get the file again from the model's source",
                    e);
        }
    }

    /**
     * Token ids of a text, at full length.
     *
     * @param addSpecialTokens whether the post-processor adds what it adds (for most decoders: BOS in front)
     * @throws UserError when the vocabulary has no tokens for the text and none for the unknown
     */
    public long[] encode(String text, boolean addSpecialTokens) {
        return encode(text, addSpecialTokens, Long.MAX_VALUE);
    }

    /**
     * The first token ids of a text: at least {@code enough}, where the text has so many. A long text is encoded in
     * pieces, and no further than needed.
     *
     * @param addSpecialTokens whether the post-processor adds what it adds (for most decoders: BOS in front)
     * @throws UserError when the vocabulary has no tokens for the text and none for the unknown
     */
    public long[] encode(String text, boolean addSpecialTokens, long enough) {
        String whole = parts.preparation().prepare(Text.withoutLoneSurrogates(text));
        if (whole.length() <= LongText.WHOLE) {
            return ids(whole, addSpecialTokens);
        }
        long[] body = LongText.encode(whole, piece -> ids(piece, false), enough);
        return addSpecialTokens ? framed(body) : body;
    }

    /** What the post-processor adds, around the ids of a text. */
    private long[] framed(long[] body) {
        long[] inner = ids(FRAMED, false);
        long[] framed = ids(FRAMED, true);
        int before = 0;
        while (before + inner.length < framed.length
                && !Arrays.equals(framed, before, before + inner.length, inner, 0, inner.length)) {
            before++;
        }
        int after = framed.length - inner.length - before;
        long[] all = Arrays.copyOf(framed, before + body.length + after);
        System.arraycopy(body, 0, all, before, body.length);
        System.arraycopy(framed, framed.length - after, all, all.length - after, after);
        return all;
    }

    /** By the library's own functions: its class for encodings makes a string of every token. */
    private long[] ids(String text, boolean addSpecialTokens) {
        try {
            long encoding =
                    TokenizersLibrary.LIB.encode(tokenizer.getHandle(), text, addSpecialTokens);
            try {
                return TokenizersLibrary.LIB.getTokenIds(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        } catch (RuntimeException e) {
            throw new UserError(
                    "the tokenizer cannot encode "
                            + Text.quote(text)
                            + " ("
                            + Text.line(String.valueOf(e.getMessage()))
                            + "); remove the characters that the model does not know",
                    e);
        }
    }

    /** The text of token ids, without special tokens. */
    public String decode(long[] ids) {
        for (long id : ids) {
            if (id < 0 || id > 0xFFFF_FFFFL) {
                throw new UserError("token id " + id + " is impossible; ids run from 0");
            }
        }
        return ids.length == 0 ? "" : tokenizer.decode(ids, true);
    }

    /** Where the files of the model disagree about its tokenizer, and what counts; one line each. */
    public List<String> notes() {
        return parts.notes();
    }

    /** What a {@code tokenizer.json} with all that was found would say. */
    public ObjectNode json() {
        ObjectNode json = parts.json().deepCopy();
        if (parts.described() != null) {
            json.set("normalizer", parts.described().deepCopy());
        }
        return json;
    }

    /** The token that begins a text, where the checkpoint names one. */
    public OptionalInt bosId() {
        return special.bos();
    }

    /** The token that ends a text, where the checkpoint names one (the first, where it names several). */
    public OptionalInt eosId() {
        return special.eos();
    }

    /** One more than the highest token id. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** Whether {@code encode(text, true)} puts BOS in front. */
    public boolean addsBos() {
        return addsBos;
    }

    /** Whether {@code encode(text, true)} puts EOS behind. */
    public boolean addsEos() {
        long[] added = encode("", true);
        return added.length > 0
                && special.eos().isPresent()
                && added[added.length - 1] == special.eos().getAsInt();
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    @Override
    public String toString() {
        return "Tokenizer" + Arrays.asList(vocabularySize, special);
    }
}
