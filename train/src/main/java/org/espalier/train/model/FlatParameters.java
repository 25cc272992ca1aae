package org.espalier.train.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;

/**
 * The parameters of a model, end to end in one float32 vector. Every tensor of the model is a view of a range, so that
 * the optimiser, the clipping and the checkpoint deal with one vector each.
 */
final class FlatParameters {
    private final List<ModelShape.Parameter> parameters;
    private final long size;
    private final long matrices;

    FlatParameters(ModelShape shape) {
        parameters = shape.parameters();
        size = parameters.stream().mapToLong(ModelShape.Parameter::size).sum();
        matrices =
                parameters.stream()
                        .filter(ModelShape.Parameter::isMatrix)
                        .mapToLong(ModelShape.Parameter::size)
                        .sum();
    }

    /** Length of the vector. */
    long size() {
        return size;
    }

    /** How many elements, from the first, belong to matrices. */
    long matrices() {
        return matrices;
    }

    /** A vector of zeros that outlives every scope; the caller closes it. */
    Tensor zeros() {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.own(torch.zeros(new long[] {size}, Tensors.options(ScalarType.Float)));
        }
    }

    /** The tensors under their names, as views that share the vector's memory. */
    Map<String, Tensor> views(Tensor flat) {
        Map<String, Tensor> views = new LinkedHashMap<>();
        long offset = 0;
        for (ModelShape.Parameter parameter : parameters) {
            views.put(
                    parameter.name(),
                    flat.narrow(0, offset, parameter.size()).view(parameter.shape()));
            offset += parameter.size();
        }
        return views;
    }

    /**
     * Fills the vector with the starting values of GPT-2 (Radford et al. 2019): normal, smaller where a product enters
     * the residual stream, so that its variance does not grow with the depth. The numbers come from Java's generator
     * and are the same on every machine.
     */
    void initialise(Tensor flat, int blocks, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        MemorySegment values = Tensors.segment(flat);
        double residual = TrainingSettings.INITIAL_DEVIATION / Math.sqrt(2.0 * blocks);
        long at = 0;
        for (ModelShape.Parameter parameter : parameters) {
            for (long end = at + parameter.size(); at < end; at++) {
                double value =
                        switch (parameter.start()) {
                            case NORMAL ->
                                    random.nextGaussian() * TrainingSettings.INITIAL_DEVIATION;
                            case RESIDUAL -> random.nextGaussian() * residual;
                            case ONES -> 1;
                        };
                values.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
            }
        }
    }
}
