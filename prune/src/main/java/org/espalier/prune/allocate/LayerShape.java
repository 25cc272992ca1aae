package org.espalier.prune.allocate;

/**
 * What an allocation knows of a layer without its weights.
 *
 * @param name module name
 * @param block index of its decoder block
 * @param rows out_features
 * @param columns in_features
 */
public record LayerShape(String name, int block, long rows, long columns) {
    /** Number of weights. */
    public long size() {
        return rows * columns;
    }
}
