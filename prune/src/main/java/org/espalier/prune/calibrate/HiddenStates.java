package org.espalier.prune.calibrate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The hidden states of the calibration tokens between two blocks, in batches of sequences of equal length, so that no
 * token is padding. They are in memory, or in a scratch file that is removed with {@link #close}. Where they are kept for
 * a later run, two files take turns, and what leaves a block does not overwrite what entered it.
 */
public final class HiddenStates implements AutoCloseable {
    /** Tokens that run through a block together: enough to fill a GEMM, small enough to bound the activations. */
    public static final int BATCH_TOKENS = 4096;

    /** Writing the states is put off where it takes longer than a second and than this part of the time between. */
    private static final double WORTH = 0.1;

    private final List<Slot> slots = new ArrayList<>();
    private final boolean onDisk;

    /** What is in memory; empty where nothing is. */
    private final List<Tensor> batches = new ArrayList<>();

    /** The scratch file of states that are not kept. */
    private final @Nullable ScratchFile scratch;

    /** The files of states that are kept. */
    private final @Nullable StateFiles kept;

    /** Which of the kept files holds the present states. */
    private int present;

    private final CRC32C checksum = new CRC32C();
    private @Nullable SavedStates saved;
    private long lastSave = System.nanoTime();
    private double saveSeconds;

    /** Where a batch lies in a file. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Slot(long position, long[] shape) {
        long end() {
            return position + Float.BYTES * Arrays.stream(shape).reduce(1, Math::multiplyExact);
        }
    }

    private HiddenStates(boolean onDisk, @Nullable Path scratch, @Nullable Path kept) {
        this.onDisk = onDisk;
        this.kept = kept == null ? null : new StateFiles(kept);
        this.scratch = onDisk && kept == null && scratch != null ? new ScratchFile(scratch) : null;
    }

    /**
     * Embeds the sequences and keeps the states in memory.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     */
    public static HiddenStates embed(Calibration calibration, UnaryOperator<Tensor> embed) {
        return embed(batches(calibration.sequences()), embed, null);
    }

    /**
     * Embeds the sequences.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     * @param scratch file to make for the states, or null to keep them in memory
     */
    public static HiddenStates embed(
            Calibration calibration, UnaryOperator<Tensor> embed, @Nullable Path scratch) {
        return embed(batches(calibration.sequences()), embed, scratch);
    }

    /**
     * Embeds batches that the caller has made.
     *
     * @param batches token ids; the sequences of a batch are equally long
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     * @param scratch file to make for the states, or null to keep them in memory
     */
    public static HiddenStates embed(
            List<List<long[]>> batches, UnaryOperator<Tensor> embed, @Nullable Path scratch) {
        boolean onDisk = scratch != null && !batches.isEmpty();
        return filled(new HiddenStates(onDisk, scratch, null), batches, embed);
    }

    /**
     * Embeds the sequences, so that what leaves each block can be kept for a later run.
     *
     * @param embed int64 [sequences, tokens] to float32 [sequences, tokens, hidden]
     * @param thrift whether the states are in memory, and where they are kept
     */
    public static HiddenStates embed(
            Calibration calibration, UnaryOperator<Tensor> embed, Thrift thrift) {
        if (calibration.isEmpty() || thrift.kept() == null) {
            return embed(calibration, embed, thrift.scratch());
        }
        return filled(
                new HiddenStates(thrift.scratch() != null, thrift.scratch(), thrift.kept()),
                batches(calibration.sequences()),
                embed);
    }

    /**
     * Takes up what an earlier run has kept.
     *
     * @param saved what that run has noted
     * @param hidden width of a state
     * @param thrift whether the states are in memory, and where they are kept
     * @return null where the file does not hold what was noted
     */
    public static @Nullable HiddenStates takeUp(
            Calibration calibration, SavedStates saved, long hidden, Thrift thrift) {
        if (thrift.kept() == null) {
            return null;
        }
        HiddenStates states =
                new HiddenStates(thrift.scratch() != null, thrift.scratch(), thrift.kept());
        boolean taken = false;
        try {
            for (List<long[]> batch : batches(calibration.sequences())) {
                states.slot(new long[] {batch.size(), batch.getFirst().length, hidden});
            }
            taken = states.takeUp(saved);
            return taken ? states : null;
        } finally {
            if (!taken) {
                states.close();
            }
        }
    }

    private boolean takeUp(SavedStates noted) {
        if (kept == null || noted.bytes() != bytes() || !kept.takeUp(noted)) {
            return false;
        }
        present = noted.file();
        saved = noted;
        for (int batch = 0; !onDisk && batch < slots.size(); batch++) {
            try (PointerScope scope = new PointerScope()) {
                batches.add(Tensors.own(read(kept.file(present), batch)));
            }
        }
        return true;
    }

    private static HiddenStates filled(
            HiddenStates states, List<List<long[]>> batches, UnaryOperator<Tensor> embed) {
        boolean embedded = false;
        try {
            for (List<long[]> batch : batches) {
                long[] ids = batch.stream().flatMapToLong(Arrays::stream).toArray();
                try (PointerScope scope = new PointerScope()) {
                    Tensor tokens = Tensors.longs(ids, batch.size(), batch.getFirst().length);
                    states.add(embed.apply(tokens));
                }
            }
            embedded = true;
            return states;
        } finally {
            if (!embedded) {
                states.close();
            }
        }
    }

    /** Neighbours of equal length run together, as many as fit into a batch; a longer one runs alone. */
    public static List<List<long[]>> batches(List<long[]> sequences) {
        List<List<long[]>> batches = new ArrayList<>();
        for (int first = 0; first < sequences.size(); ) {
            int length = sequences.get(first).length;
            int end = first + 1;
            while (end < sequences.size()
                    && sequences.get(end).length == length
                    && (long) (end + 1 - first) * length <= BATCH_TOKENS) {
                end++;
            }
            batches.add(sequences.subList(first, end));
            first = end;
        }
        return batches;
    }

    private void add(Tensor hidden) {
        slot(Tensors.shape(hidden));
        if (onDisk) {
            file(present).put(hidden.contiguous(), slots.getLast().position(), null);
        } else {
            batches.add(Tensors.own(hidden));
        }
    }

    private void slot(long[] shape) {
        slots.add(new Slot(bytes(), shape));
    }

    private long bytes() {
        return slots.isEmpty() ? 0 : slots.getLast().end();
    }

    private ScratchFile file(int number) {
        return scratch != null ? scratch : files().file(number);
    }

    private StateFiles files() {
        if (kept == null) {
            throw new IllegalStateException("these states are not kept");
        }
        return kept;
    }

    private Tensor read(ScratchFile file, int batch) {
        return file.get(slots.get(batch).position(), slots.get(batch).shape());
    }

    /** Number of batches. */
    public int size() {
        return slots.size();
    }

    /**
     * One batch, float32 [sequences, tokens, hidden]. From memory it is valid until it is exchanged, from a file it
     * belongs to the innermost scope of the caller.
     */
    public Tensor get(int batch) {
        return onDisk ? read(file(present), batch) : batches.get(batch);
    }

    /**
     * Exchanges a batch for one of the same shape; in memory the old one is freed and the new one owned from here on.
     * What is kept in files must be exchanged from the first batch to the last, and {@link #turn} called.
     */
    public void set(int batch, Tensor hidden) {
        if (onDisk) {
            file(1 - present).put(hidden.contiguous(), slots.get(batch).position(), checksum);
        } else {
            Tensor old = batches.set(batch, Tensors.own(hidden));
            old.close();
        }
    }

    /** All batches were exchanged: from here on {@link #get} gives the new ones. */
    public void turn() {
        if (onDisk && kept != null) {
            present = 1 - present;
            saved = new SavedStates(present, bytes(), StateFiles.digits(checksum));
        } else {
            saved = null;
        }
        checksum.reset();
    }

    /**
     * Makes sure that the present states are in a file that outlives this run.
     *
     * @return what a later run has to know; null where they are not kept, or where writing them takes too long
     * @throws UserError where states that are in memory could not be written as well; they may be used all the same
     */
    public @Nullable SavedStates save() {
        if (onDisk || kept == null || saved != null) {
            return saved;
        }
        long start = System.nanoTime();
        if (saveSeconds > 1 && saveSeconds > WORTH * seconds(lastSave, start)) {
            return null;
        }
        SavedStates written = write(kept, 1 - present);
        present = written.file();
        saved = written;
        lastSave = System.nanoTime();
        saveSeconds = seconds(start, lastSave);
        return written;
    }

    /** Writes what is in memory; where there is no room, what was taken of it is given back. */
    private SavedStates write(StateFiles files, int number) {
        CRC32C sum = new CRC32C();
        try {
            for (int batch = 0; batch < batches.size(); batch++) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor whole = batches.get(batch).contiguous();
                    files.file(number).put(whole, slots.get(batch).position(), sum);
                }
            }
        } catch (UserError e) {
            files.drop(number);
            throw e;
        }
        return new SavedStates(number, bytes(), StateFiles.digits(sum));
    }

    private static double seconds(long from, long to) {
        return (to - from) * 1e-9;
    }

    /** Has {@link #close} remove kept files: no later run needs them. */
    public void outdate() {
        if (kept != null) {
            kept.outdate();
        }
    }

    @Override
    public void close() {
        batches.forEach(Tensor::close);
        batches.clear();
        slots.clear();
        if (scratch != null) {
            scratch.close();
        }
        if (kept != null) {
            kept.close();
        }
    }
}
