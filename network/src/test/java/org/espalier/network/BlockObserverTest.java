package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What observers hear while a block runs. */
class BlockObserverTest {
    private static final long SEED = 20261125;

    @ParameterizedTest
    @MethodSource("org.espalier.network.TinyModels#all")
    void observerSeesEachInputOnceWithAllItsReaders(TinyModels kind) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = kind.make(SEED);
                Decoder decoder = Decoder.open(model.config, model);
                Block block = decoder.block(0)) {
            Tensor hidden = decoder.embed(Tensors.longs(model.ids(2 * 5, SEED), 2, 5));
            List<Linear> seen = new ArrayList<>();
            List<Integer> together = new ArrayList<>();
            block.forward(
                    hidden,
                    (readers, input, _) -> {
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
                TinyModel model = TinyMixtures.OLMOE_CLIPPED.make(SEED)) {
            try (Decoder decoder = Decoder.open(model.config, model);
                    Block block = decoder.block(0)) {
                Tensor hidden = decoder.embed(Tensors.longs(model.ids(20, SEED), 2, 10));
                long[] seen = new long[4];
                List<String> names = new ArrayList<>();
                block.forward(
                        hidden,
                        (readers, input, _) -> {
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
}
