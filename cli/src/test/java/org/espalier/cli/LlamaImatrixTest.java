package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Importance matrices that llama-imatrix itself wrote (src/test/resources/imatrix) hold the column norms that our own pass
 * over the same text finds.
 */
class LlamaImatrixTest {
    private static final int CHUNKS = 4;
    private static final int CHUNK = 256;

    /** Old files count the chunks and not the tokens. */
    @ParameterizedTest
    @CsvSource({"hedgerow-3m.gguf, 1024", "hedgerow-3m.dat, 4"})
    void theNormsAreOurs(String name, long tokens) throws IOException {
        Imatrix imatrix = Imatrix.open(resource(name));
        Map<String, double[]> ours = ours();
        assertThat(imatrix.names()).isEqualTo(ours.keySet());
        double largest = 0;
        for (Map.Entry<String, double[]> entry : ours.entrySet()) {
            double[] squares = entry.getValue();
            Imatrix.Input input = imatrix.input(entry.getKey(), null, -1, squares.length);
            assertThat(input.tokens()).isEqualTo(tokens);
            for (int i = 0; i < squares.length; i++) {
                double norm = Math.sqrt(squares[i]);
                double theirs = Math.sqrt(input.meanSquares()[i]);
                largest = Math.max(largest, Math.abs(theirs / norm - 1));
            }
        }
        assertThat(largest).as("largest relative difference of a norm").isLessThan(1e-5);
    }

    /** Mean squares of each matrix's input, by the name of the matrix in GGUF. */
    private static Map<String, double[]> ours() throws IOException {
        Path folder = Runs.root().resolve("models/hedgerow-3m");
        Map<String, double[]> means = new TreeMap<>();
        try (OpenModel open = OpenModel.open(folder);
                AutoGradMode noGrad = Tensors.noGrad();
                PointerScope scope = new PointerScope()) {
            String text = Files.readString(folder.resolve("calibration.txt"));
            long[] ids = chunks(open.checkpoint().tokenizer(), text);
            Tensor hidden = open.decoder().embed(Tensors.longs(ids, CHUNKS, CHUNK));
            for (int index = 0; index < open.decoder().blocks(); index++) {
                try (Block block = open.decoder().block(index);
                        StatisticsCollector collector =
                                new StatisticsCollector(List.of(Statistic.SUM_OF_SQUARES))) {
                    hidden = block.forward(hidden, collector);
                    for (Linear linear : block.linears()) {
                        Tensor sums = Objects.requireNonNull(collector.of(linear).sumOfSquares());
                        means.put(
                                "blk." + index + "." + module(linear.kind()) + ".weight",
                                Arrays.stream(Tensors.toDoubles(sums))
                                        .map(sum -> sum / ids.length)
                                        .toArray());
                    }
                }
            }
        }
        return means;
    }

    /** The text is tokenized as a whole, cut, and each piece begun anew. */
    private static long[] chunks(Tokenizer tokenizer, String text) {
        long[] ids = Arrays.copyOf(tokenizer.encode(text, true), CHUNKS * CHUNK);
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            ids[chunk * CHUNK] = tokenizer.bosId().orElseThrow();
        }
        return ids;
    }

    private static String module(String kind) {
        return switch (kind) {
            case "q", "k", "v" -> "attn_" + kind;
            case "o" -> "attn_output";
            default -> "ffn_" + kind;
        };
    }

    private static Path resource(String name) {
        try {
            return Path.of(
                    Objects.requireNonNull(
                                    LlamaImatrixTest.class.getResource("/imatrix/" + name), name)
                            .toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
