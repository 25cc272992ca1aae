package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class RealModelsTest {
    /** config.json of lm-gpt-nano-sort: greedy decoding is right on all 729 inputs. */
    @Test
    void nanoSortSortsEveryInput() {
        Path folder = RealModels.find("lm-gpt-nano-sort");
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Decoder decoder = Decoder.open(checkpoint);
                Generator generator = new Generator(decoder)) {
            for (int input = 0; input < 729; input++) {
                long[] prompt = new long[6];
                for (int i = 0, rest = input; i < 6; i++, rest /= 3) {
                    prompt[i] = rest % 3;
                }
                List<Long> sorted = Arrays.stream(prompt).sorted().boxed().toList();
                assertThat(generator.generate(prompt, 6, 0, 0).tokens())
                        .as("continuation of " + Arrays.toString(prompt))
                        .isEqualTo(sorted);
            }
        }
    }

    /** The protocol of lm-stories260k/baseline.json, whose figure an independent implementation gave. */
    @Test
    void stories260kHasThePublishedPerplexity() throws IOException {
        Path folder = RealModels.find("lm-stories260k");
        String text = Files.readString(RealModels.find("text-tinystories/sample.txt"));
        double expected =
                JsonMapper.shared()
                        .readTree(Files.readString(folder.resolve("baseline.json")))
                        .get("perplexity")
                        .get("dense")
                        .doubleValue();
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Decoder decoder = Decoder.open(checkpoint)) {
            long[] ids = checkpoint.tokenizer().encode(text.substring(0, 60_000), true);
            Tensor windows = Tensors.longs(Arrays.copyOf(ids, 24 * 512), 24, 512);
            double[] losses = new double[24];
            for (int window = 0; window < 24; window++) {
                Tensor one = windows.narrow(0, window, 1);
                Tensor logits = decoder.forward(one).narrow(1, 0, 511).reshape(511, 512);
                losses[window] =
                        torch.cross_entropy_loss(logits, one.narrow(1, 1, 511).reshape(511))
                                .item_double();
            }
            double perplexity = Math.exp(Arrays.stream(losses).average().orElseThrow());
            assertThat(perplexity).isCloseTo(expected, within(2e-5));
        }
    }
}
