package org.espalier.bench;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.layer.LayerProblem;

/** Layers with random weights and correlated random inputs, the same for the same seed. */
final class RandomLayer {
    private RandomLayer() {}

    /**
     * A layer whose input features share a common part, so that they can stand in for each other.
     *
     * @param dead number of input features, spread evenly, that are always zero
     */
    static LayerProblem make(
            long seed,
            long rows,
            long columns,
            long tokens,
            Pattern pattern,
            double sparsity,
            int dead) {
        Generator generator = torch.make_generator_cpu(seed);
        Tensor weight = normal(generator, rows, columns);
        Tensor gram =
                Tensors.scoped(() -> {
                    long hidden = Math.max(1, columns / 4);
                    Tensor mix = normal(generator, hidden, columns);
                    Tensor inputs =
                            normal(generator, tokens, hidden)
                                    .matmul(mix)
                                    .div_(
                                            new org.bytedeco.pytorch.Scalar(
                                                    Math.sqrt((double) hidden)))
                                    .add_(normal(generator, tokens, columns));
                    for (int index = 0; index < dead; index++) {
                        inputs.select(1, index * columns / dead).zero_();
                    }
                    return inputs.t().matmul(inputs);
                });
        return new LayerProblem(
                weight,
                null,
                new LayerStatistics(2, tokens, null, null, null, gram),
                pattern,
                sparsity,
                null);
    }

    private static Tensor normal(Generator generator, long rows, long columns) {
        return torch.randn(
                new long[] {rows, columns},
                new GeneratorOptional(generator),
                Tensors.options(ScalarType.Float));
    }
}
