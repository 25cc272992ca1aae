package org.espalier.network.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.espalier.core.UserError;

/**
 * What a text file holds: documents in words, or sequences of token ids. Words are joined with two newlines and
 * tokenized once, as the pruning papers do with WikiText; a sequence of ids is used as it is and nothing is added to it.
 */
public sealed interface TextSource {
    /** Reads a {@code .txt} or {@code .jsonl} file; see {@link TextReader}. */
    static TextSource read(Path file) {
        return new TextReader(file).read();
    }

    /** The file, for messages and receipts. */
    Path file();

    /**
     * Everything that the file holds: one sequence for words, one per line for ids.
     *
     * @param encoder tokenizer of the model
     * @param vocabulary number of token ids that the model knows
     */
    List<long[]> sequences(TextEncoder encoder, int vocabulary);

    /**
     * Draws sequences for calibration.
     *
     * @param encoder tokenizer of the model
     * @param vocabulary number of token ids that the model knows
     * @param draw how many, how long, and where the drawing starts
     */
    Sample sample(TextEncoder encoder, int vocabulary, Draw draw);

    /**
     * How much is wanted.
     *
     * @param samples number of sequences, at least 1
     * @param samplesGiven whether the user asked for that number; otherwise every line of ids is used
     * @param sequenceLength tokens per sequence, at least 1; lines of ids keep their own length
     * @param longest tokens that the model can read at once
     * @param seed start of the random numbers
     */
    record Draw(int samples, boolean samplesGiven, int sequenceLength, int longest, long seed) {}

    /**
     * What was drawn.
     *
     * @param sequences token ids
     * @param notes one line for each respect in which it is not what was wanted
     */
    record Sample(List<long[]> sequences, List<String> notes) {
        public Sample {
            sequences = List.copyOf(sequences);
            notes = List.copyOf(notes);
        }

        /** The same with more notes. */
        public Sample with(List<String> more) {
            List<String> all = new ArrayList<>(notes);
            all.addAll(more);
            return new Sample(sequences, all);
        }

        /** Number of tokens in all sequences. */
        public long tokens() {
            return sequences.stream().mapToLong(sequence -> sequence.length).sum();
        }
    }

    /**
     * Documents in words.
     *
     * @param file where they were read
     * @param documents at least one, none of them blank
     */
    record Words(Path file, List<String> documents) implements TextSource {
        private static final String SEPARATOR = "\n\n";

        public Words {
            documents = List.copyOf(documents);
        }

        @Override
        public List<long[]> sequences(TextEncoder encoder, int vocabulary) {
            long[] ids = encoder.encode(String.join(SEPARATOR, documents));
            for (long id : ids) {
                if (id < 0 || id >= vocabulary) {
                    throw new UserError(
                            file
                                    + ": the tokenizer gives the id "
                                    + id
                                    + " but the model knows only "
                                    + vocabulary
                                    + " tokens; they do not belong together");
                }
            }
            return List.of(ids);
        }

        /**
         * Windows that start anywhere in the text, uniformly and with replacement, as the official pruning code draws
         * them. A text too short for that gives each of its windows once.
         */
        @Override
        public Sample sample(TextEncoder encoder, int vocabulary, Draw draw) {
            long[] ids = sequences(encoder, vocabulary).getFirst();
            int length = Math.min(draw.sequenceLength(), draw.longest());
            List<long[]> drawn = new ArrayList<>();
            if (ids.length >= (long) draw.samples() * length) {
                SplittableRandom random = new SplittableRandom(draw.seed());
                for (int sample = 0; sample < draw.samples(); sample++) {
                    drawn.add(slice(ids, random.nextInt(ids.length - length + 1), length));
                }
                return new Sample(drawn, List.of());
            }
            if (ids.length < length) {
                String note =
                        file
                                + " has only "
                                + ids.length
                                + " tokens: one shorter sequence is used instead of "
                                + draw.samples()
                                + " of "
                                + length;
                return new Sample(List.of(ids), List.of(note));
            }
            for (int start = 0; start + length <= ids.length; start += length) {
                drawn.add(slice(ids, start, length));
            }
            String note =
                    file
                            + " has "
                            + ids.length
                            + " tokens: "
                            + drawn.size()
                            + " sequences of "
                            + length
                            + " are used instead of "
                            + draw.samples();
            return new Sample(drawn, List.of(note));
        }

        private static long[] slice(long[] ids, int start, int length) {
            return java.util.Arrays.copyOfRange(ids, start, start + length);
        }
    }

    /**
     * Sequences of token ids.
     *
     * @param file where they were read
     * @param lines at least one, each of at least one token
     * @param numbers for each sequence its line in the file, from 1
     */
    record Ids(Path file, List<long[]> lines, List<Integer> numbers) implements TextSource {
        public Ids {
            lines = List.copyOf(lines);
            numbers = List.copyOf(numbers);
        }

        @Override
        public List<long[]> sequences(TextEncoder encoder, int vocabulary) {
            for (int line = 0; line < lines.size(); line++) {
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
            return lines;
        }

        /** The lines as they are, in their order; no random number is drawn. */
        @Override
        public Sample sample(TextEncoder encoder, int vocabulary, Draw draw) {
            List<long[]> all = sequences(encoder, vocabulary);
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
            if (!draw.samplesGiven() || draw.samples() == all.size()) {
                return new Sample(all, List.of());
            }
            if (draw.samples() < all.size()) {
                return new Sample(all.subList(0, draw.samples()), List.of());
            }
            String note =
                    file
                            + " has only "
                            + all.size()
                            + " sequences: all are used instead of "
                            + draw.samples();
            return new Sample(all, List.of(note));
        }

        private UserError fault(int line, String message) {
            return new UserError(file + ": line " + numbers.get(line) + message);
        }
    }
}
