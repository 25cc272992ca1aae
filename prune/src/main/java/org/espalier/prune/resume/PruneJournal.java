package org.espalier.prune.resume;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.checkpoint.journal.Differences;
import org.espalier.checkpoint.journal.Journal;
import org.espalier.core.UserError;
import org.espalier.prune.BlockOutcome;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.calibrate.SavedStates;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a run has finished, in a file of the work folder: first what the run depends on, then the sparsities of the
 * layers, then each block once its tensors are on the disk.
 */
public final class PruneJournal implements AutoCloseable {
    /** Version of the layout of the entries; part of every fingerprint. */
    public static final int FORMAT = 2;

    static final String NAME = "journal.jsonl";

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String FINGERPRINT = "fingerprint";
    private static final String ALLOCATED = "allocated";
    private static final String BLOCK = "block";

    private final Journal journal;
    private final DoubleSupplier seconds;
    private final double earlierSeconds;
    private @Nullable Allocated allocated;
    private final List<FinishedBlock> blocks = new ArrayList<>();

    /**
     * The budget as the journal holds it.
     *
     * @param sparsities the exact sparsity of each layer in forward order
     * @param seconds time that the allocation took
     * @param runSeconds time that the run had taken until then
     */
    record Allocated(List<Double> sparsities, double seconds, double runSeconds) {
        Allocated {
            sparsities = List.copyOf(sparsities);
        }
    }

    private PruneJournal(Journal journal, DoubleSupplier seconds) {
        this.journal = journal;
        this.seconds = seconds;
        for (ObjectNode entry : journal.entries()) {
            if (entry.has(ALLOCATED)) {
                allocated = JSON.treeToValue(entry.get(ALLOCATED), Allocated.class);
            } else if (entry.has(BLOCK)) {
                blocks.add(JSON.treeToValue(entry.get(BLOCK), FinishedBlock.class));
            }
        }
        earlierSeconds =
                !blocks.isEmpty()
                        ? blocks.getLast().runSeconds()
                        : allocated != null ? allocated.runSeconds() : 0;
    }

    /**
     * Takes up the journal of an interrupted run, or starts one.
     *
     * @param writer where the result goes; where the run starts afresh, what lies there is discarded
     * @param fingerprint everything that the result depends on
     * @param restart whether to throw away what an interrupted run has finished
     * @param seconds time that this run has taken so far
     * @throws UserError where an interrupted run has finished blocks and depends on something else, naming what
     */
    public static PruneJournal open(
            CheckpointWriter writer,
            ObjectNode fingerprint,
            boolean restart,
            DoubleSupplier seconds) {
        Path file = writer.note(NAME);
        Journal found = Journal.open(file);
        boolean goesOn = false;
        try {
            List<ObjectNode> entries = found.entries();
            if (!restart && !entries.isEmpty()) {
                JsonNode before = entries.getFirst().path(FINGERPRINT);
                List<String> differences =
                        before instanceof ObjectNode object
                                ? Differences.between(object, fingerprint)
                                : List.of("no fingerprint");
                goesOn = differences.isEmpty();
                long finished = entries.stream().filter(entry -> entry.has(BLOCK)).count();
                if (!goesOn && finished > 0) {
                    throw new UserError(refusal(finished, differences));
                }
            }
            if (goesOn) {
                return new PruneJournal(found, seconds);
            }
        } finally {
            if (!goesOn) {
                found.close();
            }
        }
        writer.discard();
        Journal fresh = Journal.open(file);
        PruneJournal journal = new PruneJournal(fresh, seconds);
        journal.append(FINGERPRINT, fingerprint);
        return journal;
    }

    private static String refusal(long finished, List<String> differences) {
        return "an interrupted run into this folder has finished "
                + finished
                + (finished == 1 ? " block" : " blocks")
                + ", and this command differs from it: "
                + String.join("; ", differences)
                + "; give the same arguments to go on with it, --restart to throw its work away, or another --out";
    }

    /** Time that interrupted runs had taken until their last entry. */
    public double earlierSeconds() {
        return earlierSeconds;
    }

    /** Number of finished blocks. */
    public int finishedBlocks() {
        return blocks.size();
    }

    List<FinishedBlock> blocks() {
        return List.copyOf(blocks);
    }

    @Nullable Allocated allocated() {
        return allocated;
    }

    void allocated(List<Double> sparsities, double took) {
        allocated = new Allocated(sparsities, took, runSeconds());
        append(ALLOCATED, allocated);
    }

    void finished(
            BlockOutcome block,
            List<LayerOutcome> layers,
            Map<String, String> tensors,
            @Nullable SavedStates states) {
        FinishedBlock entry =
                new FinishedBlock(
                        block,
                        layers.stream().map(FinishedBlock.Layer::of).toList(),
                        tensors,
                        states,
                        runSeconds());
        append(BLOCK, entry);
        blocks.add(entry);
    }

    /** Forgets all blocks but the first {@code count}. */
    void truncate(int count) {
        int entries = journal.entries().size() - (blocks.size() - count);
        journal.truncate(entries);
        blocks.subList(count, blocks.size()).clear();
    }

    private double runSeconds() {
        return earlierSeconds + seconds.getAsDouble();
    }

    private void append(String kind, Object value) {
        ObjectNode entry = JSON.createObjectNode();
        entry.set(kind, JSON.valueToTree(value));
        journal.append(entry);
    }

    @Override
    public void close() {
        journal.close();
    }
}
