package org.espalier.prune.memory;

/**
 * The most resident memory that a run takes, term by term, in bytes.
 *
 * @param runtime the virtual machine, the libraries and what they keep for themselves; a fixed allowance
 * @param block the matrices of the largest block, with what is kept of the solved ones
 * @param statistics the calibration statistics that are held at a time
 * @param states the hidden states of the calibration tokens; 0 where they are on the disk
 * @param work the intermediate results of a forward pass over one batch, or of solving one layer, whichever is more
 */
public record MemoryEstimate(long runtime, long block, long statistics, long states, long work) {
    /** All terms together. */
    public long total() {
        return runtime + block + statistics + states + work;
    }
}
