package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A folder, its GGUF file, the folder of that file and its GGUF file again are one model. */
class GgufRoundTripTest {
    private static final int TOKENS = 31;
    private static final long SEED = 20261125;

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource
    void theLogitsStayOnEveryWay(ExportedModel model) throws IOException {
        Path hub = RandomModel.write(folder.resolve("hub"), model.config(), SEED);
        Path gguf = folder.resolve("model.gguf");
        Path back = folder.resolve("back");
        Path again = folder.resolve("again.gguf");
        done("export", hub, "--to", "gguf", "--type", "f32", "--out", gguf);
        done("export", gguf, "--to", "safetensors", "--out", back);
        done("export", back, "--to", "gguf", "--type", "f32", "--out", again);
        float[] expected = logits(hub);
        assertThat(spread(expected)).as("the model says something").isGreaterThan(0.1f);
        for (Path other : new Path[] {gguf, back, again}) {
            assertThat(logits(other))
                    .as("%s, seed %d", other.getFileName(), SEED)
                    .containsExactly(expected, within(1e-5f));
        }
    }

    /** Otherwise the test above could not fail on a rope or a window that is forgotten. */
    @Test
    void ropeAndWindowShowInTheLogits() throws IOException {
        float[] scaled =
                logits(
                        RandomModel.write(
                                folder.resolve("a"), ExportedModel.LLAMA_3_1.config(), SEED));
        String plain =
                ExportedModel.LLAMA_3_1.config().replaceAll("(?s)'rope_scaling'.*?}", "'x': 0");
        assertThat(difference(scaled, logits(RandomModel.write(folder.resolve("b"), plain, SEED))))
                .isGreaterThan(0.01f);
        for (ExportedModel model :
                new ExportedModel[] {ExportedModel.MISTRAL_WINDOW, ExportedModel.QWEN2_WINDOW}) {
            String config = model.config();
            float[] narrow = logits(RandomModel.write(folder.resolve(model + "-5"), config, SEED));
            String all = config.replaceAll("'sliding_window': \\d+", "'sliding_window': null");
            float[] wide = logits(RandomModel.write(folder.resolve(model + "-all"), all, SEED));
            assertThat(difference(narrow, wide)).as("%s", model).isGreaterThan(0.01f);
        }
    }

    private static void done(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
    }

    private static float[] logits(Path path) {
        long[] ids = new Random(SEED).longs(TOKENS, 0, 37).toArray();
        try (OpenModel model = OpenModel.open(path);
                PointerScope scope = new PointerScope()) {
            Tensor batch = Tensors.longs(ids, 1, TOKENS);
            return Tensors.toFloats(model.decoder().forward(batch));
        }
    }

    private static float spread(float[] values) {
        float[] zeros = new float[values.length];
        return difference(values, zeros);
    }

    private static float difference(float[] first, float[] second) {
        float largest = 0;
        for (int i = 0; i < first.length; i++) {
            largest = Math.max(largest, Math.abs(first[i] - second[i]));
        }
        return largest;
    }
}
