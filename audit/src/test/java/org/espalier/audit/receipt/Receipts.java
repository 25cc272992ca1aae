package org.espalier.audit.receipt;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.audit.language.Divergence;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.language.Protocol;

/** Receipts made up for tests. */
public final class Receipts {
    private static final String[] KINDS = {"q", "k", "v", "o", "gate", "up", "down"};

    private Receipts() {}

    /** A receipt of a model with the given number of blocks; names and figures are made up. */
    public static Receipt of(String name, int blocks) {
        List<LayerEntry> layers = new ArrayList<>();
        List<Receipt.BlockEntry> blockEntries = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        for (int block = 0; block < blocks; block++) {
            for (int kind = 0; kind < KINDS.length; kind++) {
                double sparsity = 0.45 + 0.1 * ((block * 7 + kind * 3) % 11) / 10;
                layers.add(
                        new LayerEntry(
                                "model.layers." + block + "." + KINDS[kind] + "_proj",
                                block,
                                KINDS[kind],
                                64,
                                172,
                                false,
                                "2:4",
                                sparsity,
                                Math.round(64 * 172 * sparsity),
                                0,
                                Math.round(64 * 172 * sparsity),
                                sparsity,
                                0.02 + 0.04 * kind / 6 + 0.01 * block,
                                "output",
                                2048,
                                false));
                seconds.add(0.01);
            }
            blockEntries.add(
                    new Receipt.BlockEntry(block, block == blocks - 1 ? null : 0.01 * (block + 1)));
        }
        Map<String, Object> recipe = new LinkedHashMap<>();
        recipe.put("name", "wanda");
        recipe.put("paper", Map.of("title", "A \"simple\": approach", "arxiv", "2306.11695"));
        recipe.put("score", "wanda");
        recipe.put("allocate", Map.of("method", "owl", "lambda", 0.08));
        recipe.put("select", Map.of("pattern", "2:4", "sparsity", 0.5));
        return new Receipt(
                Receipt.FORMAT,
                "0.1.0",
                new Receipt.Source(
                        name,
                        "llama",
                        List.of("F32"),
                        List.of(file("model.safetensors", 1_044_984))),
                new Receipt.Remainder(
                        List.of("model.layers.5 (9 tensors)"),
                        List.of("projector.safetensors"),
                        List.of("a remark")),
                recipe,
                new Receipt.CalibrationEntry(
                        "calibration.jsonl",
                        "1".repeat(64),
                        null,
                        128,
                        512,
                        65_536,
                        List.of("a note")),
                42,
                2,
                "auto",
                new Receipt.Totals(
                        260_032, 227_200, 113_600, 0, 113_600, 0.5, 0.4369, 1_044_984, 1_044_984,
                        960_123L, 601_456L),
                layers,
                List.of("model.layers.0.mlp.experts.0.down_proj"),
                blockEntries,
                new Quality(
                        new Protocol(
                                "heldout.txt", "2".repeat(64), null, 512, 512, 0, "bos", "dropped"),
                        new Perplexity(4.16651662, 0.0412, 1.4271, 12_264, 24),
                        new Perplexity(19.2677372, 0.3123, 2.9584, 12_264, 24),
                        new Divergence(1.2, 0.01, 3.1, 4.4, 9.2, 0.613, 0.004, 12_264),
                        List.of(
                                new Quality.Sample(
                                        "Once upon a time",
                                        ", there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball.",
                                        ", there was a little girl named Lily. She was very happy and she was a big and the big and the park."))),
                List.of(file("config.json", 577), file("model.safetensors", 1_044_984)),
                new Run(
                        "2026-11-25T02:30:00Z",
                        List.of("prune", name, "--out", "pruned"),
                        9.31,
                        List.of(
                                new Run.Phase("open", 1.1),
                                new Run.Phase("prune", 3.2),
                                new Run.Phase("write", 0.2),
                                new Run.Phase("measure", 4.8)),
                        seconds,
                        734_003_200L,
                        "Linux amd64",
                        "25.0.3",
                        2),
                "");
    }

    private static FileEntry file(String name, long bytes) {
        return new FileEntry(name, bytes, "ab".repeat(32));
    }
}
