package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The fast forward pass against the plain one, for every family and switch. */
class DecoderTest {
    private static final long SEED = 20261125;

    @ParameterizedTest
    @MethodSource("org.espalier.network.TinyModels#all")
    void logitsAreThoseOfThePlainForwardPass(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            long[] ids = model.ids(13, SEED);
            Closeness.assertClose(
                    Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, 13))),
                    Reference.flatLogits(model, ids),
                    2e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("org.espalier.network.TinyModels#all")
    void batchGivesWhatItsSequencesGiveAlone(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            Tensor batch = Tensors.longs(model.ids(3 * 9, SEED), 3, 9);
            Tensor all = decoder.forward(batch);
            for (int sequence = 0; sequence < 3; sequence++) {
                Closeness.assertClose(
                        Tensors.toFloats(decoder.forward(batch.narrow(0, sequence, 1))),
                        Tensors.toFloats(all.narrow(0, sequence, 1)),
                        2e-6);
            }
        }
    }

    /** Gemma's embedding factor is rounded with the weights, to 3.4688 and to 3.4648 here. */
    @ParameterizedTest
    @MethodSource("inHalfPrecision")
    void halfPrecisionCheckpointIsThatOfItsRoundedWeights(TinyModels kind, ScalarType type) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED)) {
            model.config.put("torch_dtype", type == ScalarType.Half ? "float16" : "bfloat16");
            for (String name : List.copyOf(model.shapes.keySet())) {
                Tensor rounded = model.tensor(name).to(type).to(ScalarType.Float);
                model.set(name, Tensors.toFloats(rounded), model.shape(name));
            }
            WeightSource half =
                    new WeightSource() {
                        @Override
                        public boolean contains(String name) {
                            return model.contains(name);
                        }

                        @Override
                        public long[] shape(String name) {
                            return model.shape(name);
                        }

                        @Override
                        public Tensor tensor(String name) {
                            return model.tensor(name).to(type);
                        }
                    };
            long[] ids = model.ids(7, SEED);
            try (Decoder decoder = Decoder.open(model.config, half)) {
                Closeness.assertClose(
                        Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, 7))),
                        Reference.flatLogits(model, ids),
                        2e-6);
            }
        }
    }

    static List<Arguments> inHalfPrecision() {
        List<Arguments> cases = new ArrayList<>();
        for (ScalarType type : List.of(ScalarType.BFloat16, ScalarType.Half)) {
            cases.add(Arguments.of(TinyLlamas.QWEN3_HEAD_NORMS_LAYER_TYPES, type));
            cases.add(Arguments.of(TinyMixtures.GEMMA2, type));
            cases.add(Arguments.of(TinyMixtures.GEMMA3, type));
        }
        return cases;
    }

    /**
     * Directional derivatives of the loss along a random direction for each tensor, by autograd in float32 and by
     * central differences of the plain float64 pass.
     */
    @ParameterizedTest
    @MethodSource("org.espalier.network.TinyModels#all")
    void gradientsAreThoseOfThePlainForwardPass(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            model.train();
            long[] ids = model.ids(9, SEED);
            Tensor sequence = Tensors.longs(ids, 1, 9);
            Tensor logits = decoder.forward(sequence).narrow(1, 0, 8).squeeze(0);
            torch.cross_entropy_loss(logits, sequence.narrow(1, 1, 8).squeeze(0)).backward();
            Random random = new Random(SEED);
            double largest = 0;
            double worst = 0;
            for (String name : model.values.keySet()) {
                if (name.endsWith(".attn.bias")) {
                    assertThat(model.tensor(name).grad().defined())
                            .as(name + " is a mask")
                            .isFalse();
                    continue;
                }
                if (!model.tensor(name).grad().defined()) {
                    assertThat(name)
                            .as("only unreached experts and what merely chooses have none")
                            .containsAnyOf(".experts.", "e_score_correction_bias");
                    assertThat(slope(model, name, new double[model.values.get(name).length], ids))
                            .isZero();
                    continue;
                }
                float[] gradient = Tensors.toFloats(model.tensor(name).grad());
                double[] direction = random.doubles(gradient.length, -1, 1).toArray();
                double along = 0;
                for (int i = 0; i < gradient.length; i++) {
                    along += gradient[i] * direction[i];
                }
                double numeric = slope(model, name, direction, ids);
                largest = Math.max(largest, Math.abs(numeric));
                worst = Math.max(worst, Math.abs(numeric - along));
            }
            assertThat(largest).isGreaterThan(0.01);
            assertThat(worst / largest).as("seed " + SEED).isLessThan(1e-3);
        }
    }

    private static double slope(TinyModel model, String name, double[] direction, long[] ids) {
        float[] weights = model.values.get(name);
        if (weights == null) {
            throw new AssertionError(name);
        }
        double step = 3e-4;
        double[] losses = new double[2];
        float[] moved = new float[weights.length];
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < weights.length; i++) {
                moved[i] = (float) (weights[i] + (side == 0 ? step : -step) * direction[i]);
            }
            model.values.put(name, moved);
            losses[side] = Reference.loss(model.config, model.values, ids);
        }
        model.values.put(name, weights);
        return (losses[0] - losses[1]) / (2 * step);
    }

    @Test
    void idsOutsideTheVocabularyAndTextsBeyondThePositionsAreRefused() {
        try (PointerScope scope = new PointerScope();
                TinyModel model = TinyLlamas.GPT2.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            assertThatThrownBy(() -> decoder.embed(Tensors.longs(new long[] {1, 2, 3, -1}, 2, 2)))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("token id -1 (sequence 1, token 1)");
            assertThatThrownBy(() -> decoder.embed(Tensors.longs(new long[41], 1, 41)))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("41 tokens long but the model has only 40 positions");
        }
    }
}
