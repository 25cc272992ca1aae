package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
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
            assertClose(
                    Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, 13))),
                    reference(model, ids),
                    2e-6);
        }
    }

    @ParameterizedTest
    @EnumSource(TinyModels.class)
    void batchGivesWhatItsSequencesGiveAlone(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            Tensor batch = Tensors.longs(ids(model, 3 * 9, SEED), 3, 9);
            Tensor all = decoder.forward(batch);
            for (int sequence = 0; sequence < 3; sequence++) {
                assertClose(
                        Tensors.toFloats(decoder.forward(batch.narrow(0, sequence, 1))),
                        Tensors.toFloats(all.narrow(0, sequence, 1)),
                        2e-6);
            }
        }
    }

    @Test
    void halfPrecisionCheckpointIsThatOfItsRoundedWeights() {
        for (ScalarType type : List.of(ScalarType.BFloat16, ScalarType.Half)) {
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = Tensors.noGrad();
                    TinyModel model = TinyModels.QWEN3_HEAD_NORMS_LAYER_TYPES.make(SEED)) {
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
                long[] ids = ids(model, 7, SEED);
                try (Decoder decoder = Decoder.open(model.config, half)) {
                    assertClose(
                            Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, 7))),
                            reference(model, ids),
                            2e-6);
                }
            }
        }
    }

    /**
     * Directional derivatives of the loss along a random direction for each tensor, by autograd in float32 and by
     * central differences of the plain float64 pass.
     */
    @ParameterizedTest
    @EnumSource(TinyModels.class)
    void gradientsAreThoseOfThePlainForwardPass(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            model.train();
            long[] ids = ids(model, 9, SEED);
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

    @ParameterizedTest
    @EnumSource(TinyModels.class)
    void observerSeesEachInputOnceWithAllItsReaders(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Block block = decoder.block(0)) {
            Tensor hidden = decoder.embed(Tensors.longs(ids(model, 2 * 5, SEED), 2, 5));
            List<Linear> seen = new ArrayList<>();
            List<Integer> together = new ArrayList<>();
            block.forward(
                    hidden,
                    (readers, input) -> {
                        seen.addAll(readers);
                        together.add(readers.size());
                        long[] shape = Tensors.shape(input);
                        readers.forEach(reader -> assertThat(shape[2]).isEqualTo(reader.columns()));
                        if (!readers.getFirst().name().contains("experts.")) {
                            assertThat(shape).startsWith(2, 5);
                        }
                    });
            if (decoder.config().hasExperts(0)) {
                return; // what experts see is the next test's
            }
            assertThat(seen).isEqualTo(decoder.linears(0));
            List<String> kinds = decoder.linears(0).stream().map(Linear::kind).toList();
            assertThat(together).isEqualTo(readersOf(kinds));
        }
    }

    /** How many matrices share each input of a dense block. */
    private static List<Integer> readersOf(List<String> kinds) {
        List<Integer> readers = new ArrayList<>();
        if (kinds.contains("kv_a")) {
            // The hidden states, and the short vectors that were made of them.
            readers.addAll(kinds.contains("q_a") ? List.of(2, 1, 1) : List.of(2, 1));
        } else {
            readers.add(kinds.contains("qkv") ? 1 : 3);
        }
        readers.addAll(List.of(1, kinds.contains("gate") ? 2 : 1, 1));
        return readers;
    }

    /** One expert per token: together they see every token once, and those that see none are not mentioned. */
    @Test
    void expertsSeeTheTokensThatReachedThemAndNoOthers() {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = TinyModels.OLMOE_CLIPPED.make(SEED)) {
            try (Decoder decoder = Decoder.open(model.config, model);
                    Block block = decoder.block(0)) {
                Tensor hidden = decoder.embed(Tensors.longs(ids(model, 20, SEED), 2, 10));
                long[] seen = new long[4];
                List<String> names = new ArrayList<>();
                block.forward(
                        hidden,
                        (readers, input) -> {
                            for (int expert = 0; expert < 4; expert++) {
                                if (readers.getFirst()
                                        .name()
                                        .endsWith("." + expert + ".down_proj")) {
                                    assertThat(input.size(0)).isEqualTo(1);
                                    seen[expert] += input.size(1);
                                }
                            }
                            readers.forEach(reader -> names.add(reader.name()));
                        });
                assertThat(seen[0] + seen[1] + seen[2] + seen[3]).isEqualTo(20);
                assertThat(names).doesNotHaveDuplicates();
                for (int expert = 0; expert < 4; expert++) {
                    String name = "model.layers.0.mlp.experts." + expert + ".down_proj";
                    assertThat(names.contains(name)).isEqualTo(seen[expert] > 0);
                }
            }
        }
    }

    @Test
    void replacedMatrixAndNewBiasCountFromThenOn() {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = TinyModels.LLAMA_GROUPED_TIED.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Block block = decoder.block(1)) {
            Linear down = block.linears().getLast();
            assertThat(down.bias()).isEqualTo(Linear.BiasSlot.SWITCHABLE);
            assertThat(block.bias(down)).isNull();
            Tensor hidden = decoder.embed(Tensors.longs(ids(model, 6, SEED), 1, 6));
            float[] before = Tensors.toFloats(block.forward(hidden, null));
            Tensor without;
            try (PointerScope inner = new PointerScope()) {
                Tensor zero = torch.zeros(down.rows(), down.columns());
                block.replace(down, zero, null);
                without = Tensors.own(block.forward(hidden, null));
                block.replace(down, zero, torch.ones(down.rows()));
            }
            float[] lifted = Tensors.toFloats(block.forward(hidden, null));
            assertClose(lifted, Tensors.toFloats(without.add(new Scalar(1f))), 1e-6);
            without.close();
            assertThat(lifted).isNotEqualTo(before);
            assertThat(Tensors.toFloats(block.weight(down))).containsOnly(0f);
            // The source is untouched: a block loaded afresh is the old one.
            try (Block fresh = decoder.block(1)) {
                assertThat(Tensors.toFloats(fresh.forward(hidden, null))).isEqualTo(before);
            }
            assertThatThrownBy(() -> block.replace(down, torch.zeros(3, 4), null))
                    .hasMessageContaining("model.layers.1.mlp.down_proj takes [24, 29]");
        }
    }

    @Test
    void everyTensorThatWasReadIsReleasedWhenNobodyReadsItAnyMore() {
        try (PointerScope scope = new PointerScope();
                TinyModel model = TinyModels.LLAMA_GROUPED_TIED.make(SEED);
                Releases releases = new Releases(model);
                Decoder decoder = Decoder.open(model.config, releases)) {
            decoder.embed(Tensors.longs(ids(model, 6, SEED), 1, 6));
            assertThat(releases.released).containsExactly("model.embed_tokens.weight");
            releases.released.clear();
            releases.read.clear();
            try (Block block = decoder.block(1)) {
                assertThat(releases.released).as("float32 is shared").isEmpty();
                Linear down = block.linears().getLast();
                block.replace(down, torch.zeros(down.rows(), down.columns()), null);
                assertThat(releases.released).containsExactly(down.weightName());
                block.replace(down, torch.ones(down.rows(), down.columns()), null);
            }
            assertThat(releases.released)
                    .doesNotHaveDuplicates()
                    .containsExactlyInAnyOrderElementsOf(releases.read)
                    .hasSize(9);
            releases.released.clear();
            releases.read.clear();
            releases.half = true;
            try (Block block = decoder.block(1)) {
                assertThat(releases.released)
                        .as("bfloat16 is converted at once")
                        .containsExactlyElementsOf(releases.read);
            }
            assertThat(releases.released).hasSize(9);
        }
    }

    /** Notes what is read and released. */
    private static final class Releases implements WeightSource, AutoCloseable {
        final List<String> read = new ArrayList<>();
        final List<String> released = new ArrayList<>();
        boolean half;
        private final WeightSource source;
        private final List<Tensor> converted = new ArrayList<>();

        Releases(WeightSource source) {
            this.source = source;
        }

        @Override
        public boolean contains(String name) {
            return source.contains(name);
        }

        @Override
        public long[] shape(String name) {
            return source.shape(name);
        }

        @Override
        public Tensor tensor(String name) {
            read.add(name);
            if (!half) {
                return source.tensor(name);
            }
            try (PointerScope scope = new PointerScope()) {
                converted.add(Tensors.own(source.tensor(name).to(ScalarType.BFloat16)));
            }
            return converted.getLast();
        }

        @Override
        public void release(String name) {
            released.add(name);
        }

        @Override
        public void close() {
            converted.forEach(Tensor::close);
        }
    }

    @Test
    void floatWeightsAreSharedAndTransposedOnesTurned() {
        try (PointerScope scope = new PointerScope();
                TinyModel llama = TinyModels.LLAMA_GROUPED_TIED.make(SEED);
                TinyModel gpt2 = TinyModels.GPT2.make(SEED);
                Decoder first = Decoder.open(llama.config, llama);
                Decoder second = Decoder.open(gpt2.config, gpt2);
                Block shared = first.block(0);
                Block turned = second.block(0)) {
            Linear q = shared.linears().getFirst();
            assertThat(shared.weight(q).data_ptr().address())
                    .isEqualTo(llama.tensor(q.weightName()).data_ptr().address());
            Linear qkv = turned.linears().getFirst();
            assertThat(Tensors.shape(turned.weight(qkv))).containsExactly(45, 15);
            assertThat(Tensors.toFloats(turned.weight(qkv)))
                    .isEqualTo(Tensors.toFloats(gpt2.tensor(qkv.weightName()).t()));
        }
    }

    /** A pass that kept its temporaries until the end of the test would hold some 15 MB more each time. */
    @Test
    void passesGiveTheirMemoryBack() {
        try (TinyModel model =
                        TinyModel.llamaLike(
                                """
                                {'model_type': 'llama', 'vocab_size': 1024, 'hidden_size': 64,
                                 'intermediate_size': 172, 'num_hidden_layers': 3,
                                 'num_attention_heads': 4, 'num_key_value_heads': 2}\
                                """,
                                SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            model.train();
            long[] ids = ids(model, 1024, SEED);
            long before = 0;
            for (int pass = 0; pass < 70; pass++) {
                if (pass == 10) {
                    before = Pointer.physicalBytes();
                }
                try (PointerScope scope = new PointerScope()) {
                    Tensor loss = decoder.forward(Tensors.longs(ids, 4, 256)).mean();
                    if (pass % 2 == 0) {
                        loss.backward();
                    }
                }
            }
            assertThat(Pointer.physicalBytes() - before).isLessThan(200L << 20);
        }
    }

    @Test
    void idsOutsideTheVocabularyAndTextsBeyondThePositionsAreRefused() {
        try (PointerScope scope = new PointerScope();
                TinyModel model = TinyModels.GPT2.make(SEED);
                Decoder decoder = Decoder.open(model.config, model)) {
            assertThatThrownBy(() -> decoder.embed(Tensors.longs(new long[] {1, 2, 3, -1}, 2, 2)))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("token id -1 (sequence 1, token 1)");
            assertThatThrownBy(() -> decoder.embed(Tensors.longs(new long[41], 1, 41)))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("41 tokens long but the model has only 40 positions");
        }
    }

    /** The largest difference is small against the largest expected value, which is not nothing itself. */
    static void assertClose(float[] actual, float[] expected, double relative) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            assertThat(Float.isFinite(actual[i])).isTrue();
            largest = Math.max(largest, Math.abs(expected[i]));
            worst = Math.max(worst, Math.abs(expected[i] - actual[i]));
        }
        assertThat(largest).as("the model says something").isGreaterThan(0.1);
        assertThat(worst / largest).as("relative error").isLessThan(relative);
    }

    private static float[] reference(TinyModel model, long[] ids) {
        double[][] logits = Reference.logits(model.config, model.values, ids);
        float[] flat = new float[logits.length * logits[0].length];
        int at = 0;
        for (double[] row : logits) {
            for (double logit : row) {
                flat[at++] = (float) logit;
            }
        }
        return flat;
    }

    static long[] ids(TinyModel model, int tokens, long seed) {
        Random random = new Random(seed);
        int vocabulary = model.config.get("vocab_size").intValue();
        return LongStream.generate(() -> random.nextInt(vocabulary)).limit(tokens).toArray();
    }
}
