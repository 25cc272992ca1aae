package org.espalier.network.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;

/**
 * What a text file holds: documents in words, sequences of token ids, or chats. Documents are joined with two newlines and
 * tokenized once, as the pruning papers do with WikiText; a sequence of ids is used as it is and nothing is added to it;
 * a chat is written out by the model's own template.
 *
 * <p>A text of any size can be read: the first {@value #MOST_CHARACTERS} characters or {@value #MOST_TOKENS} tokens are
 * kept, and whoever needs more is told.
 */
public sealed interface TextSource permits Documents, Ids, Chats {
    /** Characters that are kept of a text. */
    int MOST_CHARACTERS = 1 << 25;

    /** Characters of a text that is read whole. */
    int WHOLE_CHARACTERS = 1 << 29;

    /** Tokens that are kept of a text. */
    int MOST_TOKENS = 1 << 24;

    /** Reads a file or a stream, once; {@code -} is standard input. See {@link TextReader}. */
    static TextSource read(Path file) {
        return new TextReader(file, MOST_CHARACTERS).read();
    }

    /** Reads a file to its end, as training does; what the heap would not hold is refused. */
    static TextSource readWhole(Path file) {
        TextSource source = new TextReader(file, WHOLE_CHARACTERS).read();
        if (!source.origin().complete()) {
            throw new UserError(
                    file + " has more than " + WHOLE_CHARACTERS + " characters; give a part of it");
        }
        return source;
    }

    /** Whether a file that the user named is the standard input. */
    static boolean isStandardInput(Path file) {
        return TextInput.isStandardInput(file);
    }

    /** Where it came from, for messages and receipts. */
    Origin origin();

    /** The file, for messages. */
    default Path file() {
        return origin().file();
    }

    /**
     * Everything that the file holds: one sequence for words, one per line for ids and chats.
     *
     * @param encoder tokenizer of the model
     * @param vocabulary number of token ids that the model knows
     * @throws UserError where that is more than is kept of a text
     */
    default List<long[]> sequences(TextEncoder encoder, int vocabulary) {
        return sequences(encoder, vocabulary, Long.MAX_VALUE);
    }

    /**
     * The beginning of what the file holds.
     *
     * @param encoder tokenizer of the model
     * @param vocabulary number of token ids that the model knows
     * @param enough how many tokens suffice; there may be more
     * @throws UserError where the file has more but so many are not kept of a text
     */
    List<long[]> sequences(TextEncoder encoder, int vocabulary, long enough);

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
}
