package org.espalier.network.text;

import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;

/**
 * Sequences of token ids.
 *
 * @param origin where they were read
 * @param lines at least one, each of at least one token
 * @param numbers for each sequence its line in the file, from 1
 */
public record Ids(Origin origin, List<long[]> lines, List<Integer> numbers) implements TextSource {
    public Ids {
        lines = List.copyOf(lines);
        numbers = List.copyOf(numbers);
    }

    @Override
    public List<long[]> sequences(TextEncoder encoder, int vocabulary, long enough) {
        long tokens = 0;
        for (int line = 0; line < lines.size(); line++) {
            tokens += lines.get(line).length;
            for (long id : lines.get(line)) {
                if (id < 0 || id >= vocabulary) {
                    throw fault(
                            line,
                            ": the token id "
                                    + id
                                    + " is not in the model's vocabulary of "
                                    + vocabulary);
                }
            }
        }
        if (tokens < enough && !origin.complete()) {
            throw new UserError(
                    file()
                            + " goes on after its first "
                            + tokens
                            + " tokens, and more are not kept in memory at once; give a smaller file, or"
                            + " read a part of it with --windows");
        }
        return lines;
    }

    /** The lines as they are, in their order; no random number is drawn. */
    @Override
    public Sample sample(TextEncoder encoder, int vocabulary, Draw draw) {
        List<long[]> all = sequences(encoder, vocabulary, 0);
        for (int line = 0; line < all.size(); line++) {
            if (all.get(line).length > draw.longest()) {
                throw fault(
                        line,
                        " has "
                                + all.get(line).length
                                + " tokens but the model reads at most "
                                + draw.longest());
            }
        }
        if (draw.samplesGiven() && draw.samples() < all.size()) {
            return new Sample(all.subList(0, draw.samples()), List.of());
        }
        List<String> notes = new ArrayList<>();
        if (!origin.complete()) {
            notes.add(file() + " is long: only its first " + all.size() + " sequences are used");
        } else if (draw.samplesGiven() && draw.samples() > all.size()) {
            notes.add(
                    file()
                            + " has only "
                            + all.size()
                            + " sequences: all are used instead of "
                            + draw.samples());
        }
        return new Sample(all, notes);
    }

    private UserError fault(int line, String message) {
        return new UserError(file() + ": line " + numbers.get(line) + message);
    }
}
