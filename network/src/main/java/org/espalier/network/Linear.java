package org.espalier.network;

/**
 * One matrix of a block that can be pruned, in the orientation [out_features, in_features] whatever the file's own.
 *
 * @param name module name in the checkpoint, {@code model.layers.0.self_attn.q_proj}
 * @param block index of the decoder block, from 0
 * @param kind what it does in its block: {@code q, k, v, qkv, o, gate, up, gate_up, down}; the experts of
 *     a mixture have the same kinds and differ by their names
 * @param rows out_features
 * @param columns in_features
 * @param transposed whether the file stores [in_features, out_features] (GPT-2's Conv1D)
 * @param bias how the family treats its bias
 */
public record Linear(
        String name,
        int block,
        String kind,
        long rows,
        long columns,
        boolean transposed,
        BiasSlot bias) {
    /** Whether a bias is there, or could be added so that stock runtimes still load the checkpoint. */
    public enum BiasSlot {
        /** The checkpoint has a bias for this matrix. */
        PRESENT,
        /** There is none, and the family has a switch in config.json that adds one to every matrix of its group. */
        SWITCHABLE,
        /** There is none, and no stock configuration can say otherwise. */
        NONE
    }

    /** Name of the weight tensor in the checkpoint. */
    public String weightName() {
        return name + ".weight";
    }

    /** Name of the bias tensor in the checkpoint. */
    public String biasName() {
        return name + ".bias";
    }

    /** Number of weights, rows times columns. */
    public long size() {
        return rows * columns;
    }
}
