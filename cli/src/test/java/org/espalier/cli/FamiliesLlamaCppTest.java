package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A random model of every family gives the same logits in a real llama.cpp. The library of this test is older than
 * Qwen3, whose two families have only the round trip of {@link GgufRoundTripTest}.
 */
class FamiliesLlamaCppTest {
    private static final long SEED = 20261125;
    private static final int TOKENS = 31;

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "QWEN3.*")
    void theLogitsAreTheSameThere(ExportedModel model) throws IOException {
        Path hub = RandomModel.write(folder.resolve("hub"), model.config(), SEED);
        Path file = folder.resolve("model.gguf");
        Runs.Outcome outcome =
                Runs.run("export", hub, "--to", "gguf", "--type", "f32", "--out", file);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        long[] ids = new Random(SEED).longs(TOKENS, 0, ExportedModel.VOCABULARY).toArray();
        float[][] theirs;
        try (LlamaSession session = new LlamaSession(file)) {
            theirs = session.logits(ids);
        }
        float[] ours = ours(hub, ids);
        // llama.cpp looks GELU up in a table of halves.
        float tolerance =
                switch (model) {
                    case GPT2, GEMMA2, GEMMA3 -> 1e-2f;
                    default -> 5e-5f;
                };
        int tokens =
                switch (model) {
                    // It lets each token see all others in these families; export says so.
                    case MISTRAL_WINDOW -> 5;
                    case QWEN2_WINDOW -> 4;
                    default -> TOKENS;
                };
        float difference = 0;
        float spread = 0;
        for (int token = 0; token < tokens; token++) {
            for (int word = 0; word < ExportedModel.VOCABULARY; word++) {
                float here = ours[token * ExportedModel.VOCABULARY + word];
                difference = Math.max(difference, Math.abs(here - theirs[token][word]));
                spread = Math.max(spread, Math.abs(here));
            }
        }
        assertThat(spread).as("the model says something").isGreaterThan(0.5f);
        assertThat(difference).as("%s, seed %d", model, SEED).isLessThan(tolerance * spread);
    }

    private static float[] ours(Path hub, long[] ids) {
        try (OpenModel model = OpenModel.open(hub);
                PointerScope scope = new PointerScope()) {
            return Tensors.toFloats(model.decoder().forward(Tensors.longs(ids, 1, ids.length)));
        }
    }
}
