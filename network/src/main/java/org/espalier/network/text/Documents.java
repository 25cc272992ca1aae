package org.espalier.network.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.espalier.core.UserError;

/**
 * Documents in words.
 *
 * @param origin where they were read
 * @param documents at least one, none of them blank
 */
public record Documents(Origin origin, List<String> documents) implements TextSource {
    private static final String SEPARATOR = "\n\n";

    public Documents {
        documents = List.copyOf(documents);
    }

    @Override
    public List<long[]> sequences(TextEncoder encoder, int vocabulary, long enough) {
        long[] ids = ids(encoder, vocabulary, Math.min(enough, MOST_TOKENS + 1L));
        if (ids.length < enough && (ids.length > MOST_TOKENS || !origin.complete())) {
            throw new UserError(
                    file()
                            + " goes on after its first "
                            + Math.min(ids.length, MOST_TOKENS)
                            + " tokens, and more are not kept in memory at once; give a smaller text, or"
                            + " read a part of it with --windows");
        }
        return List.of(ids);
    }

    private long[] ids(TextEncoder encoder, int vocabulary, long enough) {
        long[] ids = encoder.encode(String.join(SEPARATOR, documents), enough);
        for (long id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new UserError(
                        file()
                                + ": the tokenizer gives the id "
                                + id
                                + " but the model knows only "
                                + vocabulary
                                + " tokens; they do not belong together");
            }
        }
        return ids;
    }

    /**
     * Windows that start anywhere in the text, uniformly and with replacement, as the official pruning code draws them.
     * A text too short for that gives each of its windows once; of one that is longer than what is kept, the windows
     * come from that part.
     */
    @Override
    public Sample sample(TextEncoder encoder, int vocabulary, Draw draw) {
        long[] ids = ids(encoder, vocabulary, MOST_TOKENS + 1L);
        int tokens = Math.min(ids.length, MOST_TOKENS);
        int length = Math.min(draw.sequenceLength(), draw.longest());
        List<String> notes = new ArrayList<>();
        if (ids.length > tokens || !origin.complete()) {
            notes.add(
                    file() + " is long: sequences are drawn from its first " + tokens + " tokens");
        }
        List<long[]> drawn = new ArrayList<>();
        if (tokens >= (long) draw.samples() * length) {
            SplittableRandom random = new SplittableRandom(draw.seed());
            for (int sample = 0; sample < draw.samples(); sample++) {
                drawn.add(slice(ids, random.nextInt(tokens - length + 1), length));
            }
            return new Sample(drawn, notes);
        }
        if (tokens < length) {
            notes.add(
                    file()
                            + " has only "
                            + tokens
                            + " tokens: one shorter sequence is used instead of "
                            + draw.samples()
                            + " of "
                            + length);
            return new Sample(List.of(ids), notes);
        }
        for (int start = 0; start + length <= tokens; start += length) {
            drawn.add(slice(ids, start, length));
        }
        notes.add(
                file()
                        + " has "
                        + tokens
                        + " tokens: "
                        + drawn.size()
                        + " sequences of "
                        + length
                        + " are used instead of "
                        + draw.samples());
        return new Sample(drawn, notes);
    }

    private static long[] slice(long[] ids, int start, int length) {
        return Arrays.copyOfRange(ids, start, start + length);
    }
}
