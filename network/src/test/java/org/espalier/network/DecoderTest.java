package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fast forward pass against the plain one, for every family and switch. */
class DecoderTest {
    private static final long SEED = 20261125;

    @ParameterizedTest
    @EnumSource(TinyModels.class)
    void logitsAreThoseOfThePlainForwardPass(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            long[] ids = ids(model, 13, SEED);
            double[][] expected = new ReferenceDecoder(model.config, model.values).logits(ids);
            float[] actual = Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, ids.length)));
            double largest = 0;
            double worst = 0;
            for (int t = 0, at = 0; t < expected.length; t++) {
                for (int v = 0; v < expected[t].length; v++, at++) {
                    largest = Math.max(largest, Math.abs(expected[t][v]));
                    worst = Math.max(worst, Math.abs(expected[t][v] - actual[at]));
                }
            }
            assertThat(largest).as("the model says something").isGreaterThan(0.1);
            assertThat(worst / largest).as("relative error, seed " + SEED).isLessThan(2e-6);
        }
    }

    static long[] ids(TinyModel model, int tokens, long seed) {
        Random random = new Random(seed);
        int vocabulary = model.config.get("vocab_size").intValue();
        return LongStream.generate(() -> random.nextInt(vocabulary)).limit(tokens).toArray();
    }
}
