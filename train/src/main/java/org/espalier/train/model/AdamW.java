package org.espalier.train.model;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) on one flat float32 vector that holds all parameters: a step is a
 * dozen large operations however many tensors the model has. libtorch's own optimiser walks the tensors one by one and
 * keeps its moments in an archive that is no safetensors file.
 *
 * <p>All tensors belong to the caller; steps change {@code weights} and both moments in place.
 *
 * @param weights [parameters]
 * @param decayed how many parameters, counted from the first, are subject to weight decay
 * @param firstMoment [parameters], running mean of the gradients
 * @param secondMoment [parameters], running mean of the squared gradients
 * @param weightDecay decoupled decay per unit of learning rate
 */
record AdamW(
        Tensor weights, long decayed, Tensor firstMoment, Tensor secondMoment, double weightDecay) {
    static final double FIRST_DECAY = 0.9;
    static final double SECOND_DECAY = 0.95;
    static final double EPSILON = 1e-8;

    /**
     * Scales a gradient in place so that its Euclidean norm is at most {@code largest}.
     *
     * @return the norm before
     */
    static double clip(Tensor gradient, double largest) {
        try (PointerScope scope = new PointerScope()) {
            double norm = gradient.norm().item_double();
            if (norm > largest) {
                gradient.mul_(new Scalar(largest / norm));
            }
            return norm;
        }
    }

    /**
     * One step.
     *
     * @param gradient [parameters]
     * @param step number of the step, from 1, for the correction of the moments' bias
     * @param learningRate rate of this step
     */
    void step(Tensor gradient, int step, double learningRate) {
        try (PointerScope scope = new PointerScope()) {
            weights.narrow(0, 0, decayed).mul_(new Scalar(1 - learningRate * weightDecay));
            firstMoment.mul_(new Scalar(FIRST_DECAY)).add_(gradient, new Scalar(1 - FIRST_DECAY));
            secondMoment
                    .mul_(new Scalar(SECOND_DECAY))
                    .addcmul_(gradient, gradient, new Scalar(1 - SECOND_DECAY));
            double firstCorrection = 1 - Math.pow(FIRST_DECAY, step);
            double secondCorrection = 1 - Math.pow(SECOND_DECAY, step);
            Tensor scale =
                    torch.sqrt(secondMoment)
                            .mul_(new Scalar(1 / Math.sqrt(secondCorrection)))
                            .add_(new Scalar(EPSILON));
            weights.addcdiv_(firstMoment, scale, new Scalar(-learningRate / firstCorrection));
        }
    }
}
