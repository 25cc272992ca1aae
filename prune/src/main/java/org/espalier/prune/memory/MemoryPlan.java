package org.espalier.prune.memory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.network.Block;
import org.espalier.prune.calibrate.Thrift;

/**
 * How a run is going to spare memory, and what it then takes.
 *
 * @param statesOnDisk whether the hidden states are in a scratch file
 * @param gramOnDisk whether the Gram matrices are in a scratch file
 * @param statisticsBytes statistics that are held at a time, at most
 * @param loading how blocks are loaded
 * @param estimate the most memory that the run takes
 * @param scratchBytes size of the scratch files, those in which hidden states are kept for a run that goes on included
 * @param optionalBytes those of them that a run does without where there is no room: of states that are in memory as well
 * @param passes how often the largest block is run over the calibration tokens
 */
public record MemoryPlan(
        boolean statesOnDisk,
        boolean gramOnDisk,
        long statisticsBytes,
        Block.Loading loading,
        MemoryEstimate estimate,
        long scratchBytes,
        long optionalBytes,
        int passes) {
    /**
     * For the pruner.
     *
     * @param scratch where the scratch file of the hidden states goes, if there is one
     * @param gramScratch where that of the Gram matrices goes, if there is one
     * @param kept where hidden states are kept for a run that goes on
     */
    public Thrift thrift(Path scratch, Path gramScratch, Path kept) {
        return new Thrift(
                statesOnDisk ? scratch : null,
                statisticsBytes,
                gramOnDisk ? gramScratch : null,
                loading,
                kept);
    }

    /** What is done to spare memory, in clauses; empty where nothing is. */
    public List<String> measures() {
        List<String> measures = new ArrayList<>();
        if (statesOnDisk) {
            measures.add("hidden states in a scratch file");
        }
        if (gramOnDisk) {
            measures.add("Gram matrices in a scratch file");
        }
        if (statisticsBytes != Long.MAX_VALUE) {
            measures.add("statistics of a few layers at a time, in " + passes + " passes");
        }
        if (loading == Block.Loading.ON_DEMAND) {
            measures.add("matrices converted one at a time");
        }
        return List.copyOf(measures);
    }
}
