package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Generator.Continuation;
import org.espalier.network.Generator.Stop;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratorTest {
    private static final long SEED = 77;

    /** Prompt in one piece, then chunks of 1 and 3: every shape of the causal mask, longer than every window. */
    @ParameterizedTest
    @MethodSource("org.espalier.network.TinyModels#all")
    void passInPiecesWithCacheIsThePassInOne(TinyModels kind) {
        assumeThat(kind)
                .as(
                        "a text that outgrows the short frequencies on its way is no other text's piece")
                .isNotEqualTo(TinyClassics.PHI3_LONGROPE_LONG);
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                KeyValueCache cache = new KeyValueCache(decoder.blocks())) {
            long[] ids = model.ids(2 * 13, SEED);
            Tensor both = Tensors.longs(ids, 2, 13);
            float[] whole = Tensors.toFloats(decoder.forward(both));
            List<Tensor> pieces = new ArrayList<>();
            for (int[] piece : new int[][] {{0, 2}, {2, 1}, {3, 3}, {6, 1}, {7, 6}}) {
                Tensor part = both.narrow(1, piece[0], piece[1]).contiguous();
                assertThat(cache.length()).isEqualTo(piece[0]);
                Tensor hidden = decoder.embed(part, cache.length());
                for (int b = 0; b < decoder.blocks(); b++) {
                    try (Block block = decoder.block(b)) {
                        hidden = block.forward(hidden, null, cache);
                    }
                }
                pieces.add(decoder.logits(hidden));
            }
            float[] pieced =
                    Tensors.toFloats(torch.cat(new TensorVector(pieces.toArray(Tensor[]::new)), 1));
            Closeness.assertClose(pieced, whole, 1e-5);
        }
    }

    /** The second model changes its frequencies on the way. */
    static List<TinyModels> windowAndSwitch() {
        return List.of(TinyLlamas.MISTRAL_WINDOW, TinyClassics.PHI3_LONGROPE_LONG);
    }

    @ParameterizedTest
    @MethodSource("windowAndSwitch")
    void greedyTakesTheLikeliestTokenOfTheFullPass(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Generator generator = new Generator(decoder)) {
            long[] text = {3, 1, 4};
            Continuation continuation = generator.generate(text, 12, 0, 0);
            for (long token : continuation.tokens()) {
                float[] logits =
                        Tensors.toFloats(
                                decoder.forward(Tensors.longs(text, 1, text.length))
                                        .narrow(1, text.length - 1, 1));
                int best = 0;
                for (int i = 0; i < logits.length; i++) {
                    best = logits[i] > logits[best] ? i : best;
                }
                assertThat(token).isEqualTo(best);
                text = Arrays.copyOf(text, text.length + 1);
                text[text.length - 1] = token;
            }
            assertThat(continuation.tokens()).hasSize(12);
            assertThat(continuation.stop()).isEqualTo(Stop.ENOUGH);
        }
    }

    @Test
    void seedDecidesTheText() {
        try (TinyModel model = TinyLlamas.LLAMA_GROUPED_TIED.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Generator generator = new Generator(decoder)) {
            long[] prompt = {5, 6};
            List<Long> heard = new ArrayList<>();
            Continuation first = generator.generate(prompt, 30, 1.5, 1, heard::add);
            assertThat(heard).isEqualTo(first.tokens());
            assertThat(generator.generate(prompt, 30, 1.5, 1)).isEqualTo(first);
            assertThat(generator.generate(prompt, 30, 1.5, 2)).isNotEqualTo(first);
        }
    }

    @Test
    void textEndsAtTheLastPositionAndAtTheEndToken() {
        try (TinyModel model = TinyLlamas.GPT2.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Generator generator = new Generator(decoder)) {
            Continuation full = generator.generate(new long[] {2, 3}, 1000, 0, 0);
            assertThat(full.stop()).isEqualTo(Stop.NO_POSITIONS);
            assertThat(full.tokens()).as("40 positions, and one token beyond the last").hasSize(39);

            model.config.putArray("eos_token_id").add(1_000_000).add(full.tokens().get(4));
            try (Decoder ending = Decoder.open(model.config, model);
                    Generator stopping = new Generator(ending)) {
                Continuation short_ = stopping.generate(new long[] {2, 3}, 1000, 0, 0);
                assertThat(short_.stop()).isEqualTo(Stop.END_OF_TEXT);
                assertThat(short_.tokens())
                        .isEqualTo(
                                full.tokens()
                                        .subList(0, full.tokens().indexOf(full.tokens().get(4))));
            }
        }
    }

    @Test
    void wrongRequestsAreRefused() {
        try (TinyModel model = TinyLlamas.GPT2.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Generator generator = new Generator(decoder)) {
            assertThatThrownBy(() -> generator.generate(new long[0], 5, 0, 0))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("prompt is empty");
            assertThatThrownBy(() -> generator.generate(new long[41], 5, 0, 0))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("41 tokens long but the model has only 40 positions");
            assertThatThrownBy(() -> generator.generate(new long[] {29}, 5, 0, 0))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("token id 29");
            assertThatThrownBy(() -> generator.generate(new long[] {1}, 5, Double.NaN, 0))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("temperature");
        }
    }

    /** Frequencies of 20,000 draws against softmax(logits / temperature), five standard deviations wide. */
    @Test
    void samplerFollowsTheTemperedSoftmax() {
        float[] logits = {1f, 3f, -2f, 2.5f};
        double temperature = 1.7;
        Generator.Sampler sampler = new Generator.Sampler(temperature, new SplittableRandom(SEED));
        int draws = 20_000;
        int[] counts = new int[logits.length];
        for (int i = 0; i < draws; i++) {
            counts[(int) sampler.next(logits)]++;
        }
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit / temperature);
        }
        for (int i = 0; i < logits.length; i++) {
            double likelihood = Math.exp(logits[i] / temperature) / total;
            double deviation = Math.sqrt(likelihood * (1 - likelihood) / draws);
            assertThat(Math.abs(counts[i] / (double) draws - likelihood)).isLessThan(5 * deviation);
        }
    }
}
