package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.espalier.audit.receipt.ReceiptFile;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real processes prune on one long sequence within a limit that a single matrix of all queries and all keys would break,
 * and their peak is the system's own figure.
 */
class LongSequencesTest {
    private static final long LIMIT = 640L << 20;

    @TempDir Path folder;

    /** Attention that needs more than the plain causal mask. */
    enum Kind {
        /** 16 x 4096 x 4096 numbers are 1 GiB. */
        SLOPES(
                4096,
                """
                {'model_type': 'bloom', 'vocab_size': 17, 'hidden_size': 64, 'n_layer': 1, 'n_head': 16,
                 'seq_length': 4096}\
                """),
        /** 8 x 4096 x 4096 numbers are 512 MiB, and there would be several of them. */
        CAPS_AND_WINDOWS(
                4096,
                """
                {'model_type': 'gemma2', 'vocab_size': 17, 'hidden_size': 32, 'intermediate_size': 40,
                 'num_hidden_layers': 2, 'num_attention_heads': 8, 'num_key_value_heads': 4,
                 'head_dim': 8, 'query_pre_attn_scalar': 8, 'attn_logit_softcapping': 50.0,
                 'final_logit_softcapping': 30.0, 'sliding_window': 700,
                 'max_position_embeddings': 16384}\
                """),
        /** 12288 x 12288 bits of a window as numbers are 576 MiB. */
        WINDOWS(
                12288,
                """
                {'model_type': 'mistral', 'vocab_size': 17, 'hidden_size': 32, 'intermediate_size': 40,
                 'num_hidden_layers': 1, 'num_attention_heads': 2, 'num_key_value_heads': 1,
                 'sliding_window': 900, 'max_position_embeddings': 16384}\
                """);

        private final int tokens;
        private final String config;

        Kind(int tokens, String config) {
            this.tokens = tokens;
            this.config = config;
        }
    }

    @ParameterizedTest
    @EnumSource
    void thePeakStaysBelowTheLimit(Kind kind) throws Exception {
        Path model = RandomModel.write(folder.resolve("model"), kind.config, 5);
        Path out = folder.resolve("out");
        Process process = start(model, calibration(kind.tokens), out);
        assertThat(process.waitFor()).as(Files.readString(folder.resolve("err"))).isZero();
        Long peak = ReceiptFile.read(out).run().peakMemoryBytes();
        Assumptions.assumeTrue(peak != null, "this system does not tell the peak");
        assertThat(peak).isLessThan(LIMIT);
    }

    private Path calibration(int tokens) throws IOException {
        String ids =
                new Random(6)
                        .ints(tokens, 0, 17)
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", "));
        return Files.writeString(folder.resolve("long.jsonl"), "{\"input_ids\": [" + ids + "]}\n");
    }

    private Process start(Path model, Path calibration, Path out) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Runs.root().resolve("etc/java.options"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("org.espalier.cli.Main");
        command.addAll(List.of("prune", model.toString(), "--recipe", "wanda"));
        command.addAll(List.of("--calibration", calibration.toString(), "--threads", "2"));
        command.addAll(List.of("--memory", LIMIT + "B", "--out", out.toString()));
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out.txt").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }
}
