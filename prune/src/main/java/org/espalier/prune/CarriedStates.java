package org.espalier.prune;

import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.network.Block;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;

/**
 * The hidden states that a run begins with, and what it leaves of them for one that goes on. They are those that the
 * undisturbed run had: taken from a file where that holds them, else made by running the finished blocks again.
 */
final class CarriedStates {
    private final Walk walk;
    private final EarlierWork earlier;
    private boolean keeps;

    CarriedStates(Walk walk, EarlierWork earlier) {
        this.walk = walk;
        this.earlier = earlier;
        this.keeps = walk.thrift().kept() != null;
    }

    /** What enters the first unfinished block; the caller closes it. */
    HiddenStates open() {
        int finished = earlier.blocks().size();
        if (finished == walk.decoder().blocks() || walk.calibration().isEmpty()) {
            return HiddenStates.embed(Calibration.NONE, walk.decoder()::embed);
        }
        int from = finished;
        HiddenStates states = null;
        while (from > 0 && states == null) {
            SavedStates saved = earlier.states().get(from - 1);
            states = saved == null ? null : takeUp(saved);
            from -= states == null ? 1 : 0;
        }
        if (states == null) {
            states = HiddenStates.embed(walk.calibration(), walk.decoder()::embed, walk.thrift());
        }
        boolean replayed = false;
        try {
            replay(states, from, finished);
            replayed = true;
            return states;
        } finally {
            if (!replayed) {
                states.close();
            }
        }
    }

    private @Nullable HiddenStates takeUp(SavedStates saved) {
        return HiddenStates.takeUp(
                walk.calibration(), saved, walk.decoder().config().hidden(), walk.thrift());
    }

    /** Takes the states through finished blocks: they are what the next block saw when nothing interrupted. */
    private void replay(HiddenStates states, int from, int finished) {
        if (from < finished && earlier.states().containsKey(finished - 1)) {
            walk.progress()
                    .note(
                            "the hidden states that the interrupted run kept are gone or damaged:"
                                    + " finished blocks are run again");
        }
        for (int index = from; index < finished; index++) {
            walk.progress().step("repeating block", index, finished);
            try (Block block = walk.decoder().block(index, walk.thrift().loading())) {
                if (walk.propagated()) {
                    earlier.restore().accept(block);
                }
                for (int batch = 0; batch < states.size(); batch++) {
                    try (PointerScope scope = new PointerScope()) {
                        states.set(batch, block.forward(states.get(batch), null));
                    }
                }
                states.turn();
            }
        }
    }

    /**
     * Leaves what enters the next block for a run that goes on.
     *
     * @return what that run has to know; null where it will have to repeat the block
     */
    @Nullable SavedStates save(HiddenStates states) {
        if (!keeps || states.size() == 0) {
            return null;
        }
        try {
            return states.save();
        } catch (UserError e) {
            // The result does not depend on it.
            keeps = false;
            Throwable reason = e.getCause() == null ? e : e.getCause();
            walk.progress()
                    .note(
                            "hidden states are no longer kept, so that a run that goes on repeats finished blocks: "
                                    + reason.getMessage());
            return null;
        }
    }
}
