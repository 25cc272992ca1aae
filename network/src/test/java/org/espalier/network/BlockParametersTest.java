package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;

/** Parameters of blocks: exchanged, shared with the source, and given back. */
class BlockParametersTest {
    private static final String TABLE = "model.embed_tokens.weight";
    private static final long SEED = 20261125;

    @Test
    void replacedMatrixAndNewBiasCountFromThenOn() {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = TinyLlamas.LLAMA_GROUPED_TIED.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Block block = decoder.block(1)) {
            Linear down = block.linears().getLast();
            assertThat(down.bias()).isEqualTo(Linear.BiasSlot.SWITCHABLE);
            assertThat(block.bias(down)).isNull();
            Tensor hidden = decoder.embed(Tensors.longs(model.ids(6, SEED), 1, 6));
            float[] before = Tensors.toFloats(block.forward(hidden, null));
            Tensor without;
            try (PointerScope inner = new PointerScope()) {
                Tensor zero = torch.zeros(down.rows(), down.columns());
                block.replace(down, zero, null);
                without = Tensors.own(block.forward(hidden, null));
                block.replace(down, zero, torch.ones(down.rows()));
            }
            float[] lifted = Tensors.toFloats(block.forward(hidden, null));
            Closeness.assertClose(lifted, Tensors.toFloats(without.add(new Scalar(1f))), 1e-6);
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
                TinyModel model = TinyLlamas.LLAMA_GROUPED_TIED.make(SEED);
                Releases releases = new Releases(model);
                Decoder decoder = Decoder.open(model.config, releases)) {
            decoder.embed(Tensors.longs(model.ids(6, SEED), 1, 6));
            assertThat(releases.released).as("more tokens may follow").isEmpty();
            releases.read.clear();
            try (Block block = decoder.block(1)) {
                assertThat(releases.released)
                        .as("the table goes with the first block; float32 is shared")
                        .containsExactly(TABLE);
                releases.released.clear();
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
                assertThat(releases.released.removeFirst()).isEqualTo(TABLE);
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
                TinyModel llama = TinyLlamas.LLAMA_GROUPED_TIED.make(SEED);
                TinyModel gpt2 = TinyLlamas.GPT2.make(SEED);
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
            long[] ids = model.ids(1024, SEED);
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
}
