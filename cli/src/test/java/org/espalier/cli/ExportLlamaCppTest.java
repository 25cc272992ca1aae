package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exported models in a real llama.cpp: the same tokens, the same likelihoods, the same text. */
class ExportLlamaCppTest {
    private static final String PROMPT = "Once upon a time";
    private static final int TOKENS = 200;
    private static final int GREEDY = 24;

    @TempDir Path folder;

    /**
     * Tolerances in nats. llama.cpp keeps activations in float32 only for F32; it rounds them to the type of the matrix,
     * or to 8 bits for quantized ones, where ours stay exact.
     */
    @ParameterizedTest
    @CsvSource({
        "f32, 1e-6, 5e-5",
        "f16, 2e-4, 5e-3",
        "bf16, 1e-3, 5e-2",
        "q8_0, 2e-3, 0.15",
        "q4_0, 3e-3, 0.2",
        "q4_k_m, 3e-3, 0.3"
    })
    void theShippedModelIsTheSameThere(String type, double mean, double most) throws IOException {
        Path model = Runs.root().resolve("models/hedgerow-3m");
        same(model, type, Files.readString(model.resolve("held-out.txt")), mean, most);
    }

    @ParameterizedTest
    @CsvSource({"f32, 2e-6, 1e-4", "q8_0, 2e-3, 0.3", "q4_k_m, 3e-3, 0.3"})
    void aModelWithSentencePiecesIsTheSameThere(String type, double mean, double most)
            throws IOException {
        Path text = Runs.data("text-tinystories/sample.txt");
        same(Runs.data("lm-stories260k"), type, Files.readString(text), mean, most);
    }

    @Test
    void textsOfAllKindsGiveTheSameTokens() throws IOException {
        List<String> texts =
                List.of(
                        "  two spaces, tabs\t\tand\n\nlines ",
                        "It's 12345 o'clock! \u00fcber \u4f60\u597d \ud83d\ude00",
                        "\u2581odd \u00a0 spaces");
        List<Path> models = new ArrayList<>(List.of(Runs.root().resolve("models/hedgerow-3m")));
        models.add(Runs.data("lm-stories260k"));
        for (Path model : models) {
            Path file = export(model, "f16");
            try (LlamaSession theirs = new LlamaSession(file);
                    OpenModel ours = OpenModel.open(model)) {
                for (String text : texts) {
                    assertThat(theirs.encode(text))
                            .as("%s: %s", model, text)
                            .isEqualTo(ours.checkpoint().tokenizer().encode(text, true));
                }
            }
        }
    }

    private void same(Path model, String type, String text, double mean, double most)
            throws IOException {
        Path file = export(model, type);
        try (LlamaSession theirs = new LlamaSession(file);
                OpenModel ours = OpenModel.open(file);
                OpenModel source = OpenModel.open(model)) {
            long[] all = source.checkpoint().tokenizer().encode(text.substring(0, 3000), true);
            assertThat(theirs.encode(text.substring(0, 3000))).isEqualTo(all);
            long[] ids = Arrays.copyOf(all, TOKENS);
            double[] there = likelihoods(theirs.logits(ids), ids);
            double[] here = likelihoods(logits(ours, ids), ids);
            double sum = 0;
            double largest = 0;
            for (int i = 0; i < here.length; i++) {
                sum += here[i] - there[i];
                largest = Math.max(largest, Math.abs(here[i] - there[i]));
            }
            assertThat(Math.abs(sum) / here.length).as("mean difference").isLessThan(mean);
            assertThat(largest).as("largest difference").isLessThan(most);
            long[] prompt = source.checkpoint().tokenizer().encode(PROMPT, true);
            String written = ours.checkpoint().tokenizer().decode(greedy(theirs, prompt));
            assertThat(written).isEqualTo(PROMPT + ours.continuation(PROMPT, GREEDY));
        }
    }

    private Path export(Path model, String type) {
        Path file = folder.resolve(model.getFileName() + "-" + type + ".gguf");
        Runs.Outcome outcome =
                Runs.run(
                        "export",
                        model,
                        "--to",
                        "gguf",
                        "--type",
                        type,
                        "--out",
                        file,
                        "--threads",
                        1);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return file;
    }

    static float[][] logits(OpenModel model, long[] ids) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad()) {
            Tensor logits = model.language().logits(Tensors.longs(ids, 1, ids.length));
            float[] flat = Tensors.toFloats(logits);
            float[][] rows = new float[ids.length][];
            int words = flat.length / ids.length;
            for (int i = 0; i < rows.length; i++) {
                rows[i] = Arrays.copyOfRange(flat, i * words, (i + 1) * words);
            }
            return rows;
        }
    }

    /** The log-likelihood of every token but the first, in nats. */
    static double[] likelihoods(float[][] logits, long[] ids) {
        double[] likelihoods = new double[ids.length - 1];
        for (int i = 0; i < likelihoods.length; i++) {
            double sum = 0;
            for (float logit : logits[i]) {
                sum += Math.exp(logit);
            }
            likelihoods[i] = logits[i][(int) ids[i + 1]] - Math.log(sum);
        }
        return likelihoods;
    }

    private static long[] greedy(LlamaSession session, long[] prompt) {
        long[] ids = prompt;
        for (int i = 0; i < GREEDY; i++) {
            float[] last = session.logits(ids)[ids.length - 1];
            int best = 0;
            for (int token = 1; token < last.length; token++) {
                best = last[token] > last[best] ? token : best;
            }
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = best;
        }
        return ids;
    }
}
