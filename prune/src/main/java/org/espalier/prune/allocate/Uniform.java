package org.espalier.prune.allocate;

import java.util.Arrays;
import java.util.List;
import org.espalier.core.recipe.Parameters;

/** Every layer gets the overall sparsity: the base of all one-shot methods. */
public record Uniform() implements Allocation {
    /** Takes no parameters. */
    public static Uniform from(Parameters parameters) {
        return new Uniform();
    }

    @Override
    public Reads reads() {
        return Reads.NOTHING;
    }

    @Override
    public double[] wanted(List<LayerShape> layers, NetworkScores scores, double sparsity) {
        double[] wanted = new double[layers.size()];
        Arrays.fill(wanted, sparsity);
        return wanted;
    }
}
