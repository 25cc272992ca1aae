package org.espalier.network.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.espalier.core.UserError;

/**
 * Chats, each a sequence of its own that the model's template writes out.
 *
 * @param origin where they were read
 * @param chats at least one, each with at least one message
 * @param numbers for each chat its line in the file, from 1
 */
public record Chats(Origin origin, List<List<Map<String, Object>>> chats, List<Integer> numbers)
        implements TextSource {
    public Chats {
        chats = chats.stream().map(List::copyOf).toList();
        numbers = List.copyOf(numbers);
    }

    @Override
    public List<long[]> sequences(TextEncoder encoder, int vocabulary, long enough) {
        List<long[]> sequences = new ArrayList<>();
        long tokens = 0;
        for (int chat = 0; chat < chats.size() && tokens < enough; chat++) {
            sequences.add(encode(encoder, vocabulary, chat));
            tokens += sequences.getLast().length;
        }
        if (tokens < enough && !origin.complete()) {
            throw new UserError(
                    file()
                            + " goes on after its first "
                            + chats.size()
                            + " chats, and more are not kept in memory at once; give a smaller file, or"
                            + " read a part of it with --windows");
        }
        return sequences;
    }

    /** The first chats, in their order and one sequence each; what is longer than a sequence loses its end. */
    @Override
    public Sample sample(TextEncoder encoder, int vocabulary, Draw draw) {
        int length = Math.min(draw.sequenceLength(), draw.longest());
        List<long[]> drawn = new ArrayList<>();
        int cut = 0;
        for (int chat = 0; chat < Math.min(chats.size(), draw.samples()); chat++) {
            long[] ids = encode(encoder, vocabulary, chat);
            cut += ids.length > length ? 1 : 0;
            drawn.add(Arrays.copyOf(ids, Math.min(ids.length, length)));
        }
        List<String> notes = new ArrayList<>();
        if (cut > 0) {
            notes.add(
                    file()
                            + ": "
                            + cut
                            + " of "
                            + drawn.size()
                            + " chats are longer than "
                            + length
                            + " tokens and lose their end");
        }
        if (drawn.size() < draw.samples()) {
            notes.add(
                    file()
                            + " has only "
                            + drawn.size()
                            + " chats: all are used instead of "
                            + draw.samples());
        }
        return new Sample(drawn, notes);
    }

    private long[] encode(TextEncoder encoder, int vocabulary, int chat) {
        long[] ids;
        try {
            ids = encoder.encodeChat(chats.get(chat));
        } catch (UserError e) {
            throw new UserError(file() + ": line " + numbers.get(chat) + ": " + e.getMessage(), e);
        }
        for (long id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new UserError(
                        file()
                                + ": line "
                                + numbers.get(chat)
                                + ": the tokenizer gives the id "
                                + id
                                + " but the model knows only "
                                + vocabulary
                                + " tokens; they do not belong together");
            }
        }
        if (ids.length == 0) {
            throw new UserError(
                    file()
                            + ": line "
                            + numbers.get(chat)
                            + ": the chat template writes nothing for this chat");
        }
        return ids;
    }
}
