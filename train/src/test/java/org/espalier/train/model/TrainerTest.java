package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;

class TrainerTest {
    private final PackedTokens training = TinySettings.chain(1, 4000);
    private final PackedTokens heldOut = TinySettings.chain(2, 400);

    @Test
    void learnsWhatSingleTokensDoNotTell() {
        try (Trainer trainer = new Trainer(TinySettings.of(150, 1e-2, 2), training, heldOut)) {
            double before = trainer.heldOutLoss();
            assertThat(before).isBetween(0.95 * Math.log(300), 1.05 * Math.log(300));
            while (trainer.step() < 150) {
                trainer.advance(1e-2);
            }
            assertThat(trainer.heldOutLoss()).isLessThan(0.5 * heldOut.unigramEntropy());
        }
    }

    @Test
    void theNumberOfThreadsDoesNotChangeABit() {
        assertThat(weightsAfter(5, 1)).isEqualTo(weightsAfter(5, 3));
    }

    private Map<String, float[]> weightsAfterRaw(int steps, int threads) {
        try (Trainer trainer =
                        new Trainer(TinySettings.of(steps, 1e-2, threads), training, heldOut);
                PointerScope scope = new PointerScope()) {
            while (trainer.step() < steps) {
                trainer.advance(1e-2);
            }
            Map<String, float[]> weights = new TreeMap<>();
            trainer.tensors()
                    .forEach((name, tensor) -> weights.put(name, Tensors.toFloats(tensor)));
            return weights;
        }
    }

    private String weightsAfter(int steps, int threads) {
        StringBuilder text = new StringBuilder();
        weightsAfterRaw(steps, threads)
                .forEach((name, values) ->
                        text.append(name).append(java.util.Arrays.toString(values)));
        return text.toString();
    }

    @Test
    void replicasTogetherGiveTheGradientOfTheWholeStep() {
        FlatParameters parameters = new FlatParameters(TinySettings.SHAPE);
        long[][] sequences = {training.sequence(3), training.sequence(8)};
        Tensor weights = parameters.zeros();
        parameters.initialise(weights, TinySettings.SHAPE.blocks(), 17);
        try (Replica whole = new Replica(TinySettings.SHAPE, parameters, weights);
                Replica left = new Replica(TinySettings.SHAPE, parameters, weights);
                Replica right = new Replica(TinySettings.SHAPE, parameters, weights);
                PointerScope scope = new PointerScope()) {
            whole.backward(sequences, 1);
            left.backward(new long[][] {sequences[0]}, 0.5);
            right.backward(new long[][] {sequences[1]}, 0.5);
            Tensor sum = left.gradient().add(right.gradient());
            double norm = whole.gradient().norm().item_double();
            assertThat(norm).isGreaterThan(0.01);
            assertThat(sum.sub(whole.gradient()).norm().item_double()).isLessThan(1e-5 * norm);
        } finally {
            weights.close();
        }
    }

    @Test
    void theGradientIsThatOfTheLoss() {
        FlatParameters parameters = new FlatParameters(TinySettings.SHAPE);
        long[][] sequences = {training.sequence(0), training.sequence(5)};
        Tensor weights = parameters.zeros();
        parameters.initialise(weights, TinySettings.SHAPE.blocks(), 23);
        try (Replica replica = new Replica(TinySettings.SHAPE, parameters, weights);
                PointerScope scope = new PointerScope()) {
            replica.backward(sequences, 1);
            Tensor gradient = replica.gradient();
            double slope = gradient.dot(gradient).item_double();
            double norm = Math.sqrt(slope);
            // Along the normed gradient the loss climbs at the gradient's norm.
            double distance = 0.05;
            Tensor direction = gradient.div(torch.norm(gradient));
            weights.add_(direction, new org.bytedeco.pytorch.Scalar(distance));
            double above = replica.evaluate(sequences);
            weights.add_(direction, new org.bytedeco.pytorch.Scalar(-2 * distance));
            double below = replica.evaluate(sequences);
            assertThat((above - below) / (2 * distance)).isBetween(0.99 * norm, 1.01 * norm);
        } finally {
            weights.close();
        }
    }

    @Test
    void divergenceIsReportedWithWhatToChange() {
        try (Trainer trainer = new Trainer(TinySettings.of(20, 1e30, 1), training, heldOut)) {
            assertThatThrownBy(
                            () -> {
                                while (trainer.step() < 20) {
                                    trainer.advance(1e30);
                                }
                            })
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("diverged at step")
                    .hasMessageContaining("lower the learning rate");
        }
    }

    @Test
    void theViewsCoverTheVectorExactlyAndMatricesComeFirst() {
        FlatParameters parameters = new FlatParameters(TinySettings.SHAPE);
        Tensor flat = parameters.zeros();
        try (PointerScope scope = new PointerScope()) {
            Map<String, Tensor> views = parameters.views(flat);
            views.values().forEach(view -> view.add_(new org.bytedeco.pytorch.Scalar(1)));
            assertThat(flat.min().item_double()).isEqualTo(1);
            assertThat(flat.max().item_double()).isEqualTo(1);
            long matrices =
                    views.values().stream()
                            .filter(view -> view.dim() == 2)
                            .mapToLong(Tensor::numel)
                            .sum();
            assertThat(parameters.matrices()).isEqualTo(matrices);
            assertThat(parameters.size()).isEqualTo(TinySettings.SHAPE.parameterCount());
        } finally {
            flat.close();
        }
    }
}
