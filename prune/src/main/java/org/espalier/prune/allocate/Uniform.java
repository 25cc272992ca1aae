package org.espalier.prune.allocate;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.recipe.Parameters;

/** Every layer gets the overall sparsity: the base of all one-shot methods. */
public record Uniform() implements Allocation<Uniform.Nothing> {
    /** What it remembers of a block. */
    public enum Nothing {
        NOTHING
    }

    /** Takes no parameters. */
    public static Uniform from(Parameters parameters) {
        return new Uniform();
    }

    @Override
    public boolean readsScores() {
        return false;
    }

    @Override
    public Nothing summarize(List<Tensor> scores) {
        return Nothing.NOTHING;
    }

    @Override
    public double[] wanted(List<LayerShape> layers, List<Nothing> summaries, double sparsity) {
        double[] wanted = new double[layers.size()];
        Arrays.fill(wanted, sparsity);
        return wanted;
    }
}
