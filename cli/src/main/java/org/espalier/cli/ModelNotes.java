package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.progress.Progress;
import org.espalier.network.Decoder;

/** What a user should know of a model that was opened: what was odd about it, and what of it is not used. */
final class ModelNotes {
    /** The rest is in the receipt. */
    private static final int SHOWN = 5;

    private ModelNotes() {}

    /** Says what was odd and which tensors are not used, in a line each. */
    static void tell(OpenModel model, Progress progress) {
        List<String> notes = odd(model);
        List<String> unread = unread(model.decoder());
        if (!unread.isEmpty()) {
            notes.add("not used by the network: " + shown(unread));
        }
        notes.forEach(note -> progress.note(model.checkpoint().folder() + ": " + note));
    }

    /** As {@link #tell}, and which weight files lie there and are not read. */
    static void tellAll(OpenModel model, Progress progress) {
        tell(model, progress);
        List<String> files = model.checkpoint().otherWeights();
        if (!files.isEmpty()) {
            progress.note(
                    model.checkpoint().folder()
                            + ": weight files that are not read: "
                            + shown(files));
        }
    }

    /** Says before the work what a folder that is written will not have, in one line. */
    static void tellLeftOut(OpenModel model, Progress progress) {
        List<String> left = model.checkpoint().leftOut();
        if (!left.isEmpty()) {
            progress.note(model.checkpoint().folder() + ": left out of the result: " + shown(left));
        }
    }

    /** What was read in spite of being odd. */
    static List<String> odd(OpenModel model) {
        Decoder decoder = model.decoder();
        Checkpoint checkpoint = model.checkpoint();
        List<String> notes = new ArrayList<>(checkpoint.notes());
        if (!decoder.redundant().isEmpty()) {
            notes.add(
                    "stored once, under the name that the network reads: "
                            + shown(List.copyOf(decoder.redundant())));
        }
        if (decoder.hasMoreBlocks()) {
            notes.add(
                    "the weights have more blocks than the "
                            + decoder.blocks()
                            + " that config.json names");
        }
        if (decoder.headDiffers()) {
            notes.add(
                    "config.json ties the head to the embedding, but the weights hold a head of other values; it is"
                            + " used, as in transformers 5 (transformers 4 uses the embedding)");
        }
        return notes;
    }

    /** The tensors that the network does not use, by module. */
    static List<String> unread(Decoder decoder) {
        return decoder.unread().stream().map(Object::toString).toList();
    }

    /** The first few of a list, and how many more there are. */
    static String shown(List<String> names) {
        int count = Math.min(SHOWN, names.size());
        String shown = String.join(", ", names.subList(0, count));
        return names.size() > count ? shown + " and " + (names.size() - count) + " more" : shown;
    }
}
