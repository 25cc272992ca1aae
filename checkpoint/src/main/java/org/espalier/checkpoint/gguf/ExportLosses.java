package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Json;
import org.espalier.checkpoint.Text;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.JsonNode;

/** What a GGUF file cannot say of a checkpoint, or its types cannot hold, a sentence each. */
final class ExportLosses {
    /** Fewer zeros than this come about by themselves. */
    private static final double PRUNED = 0.01;

    private static final int SHOWN = 3;

    /** What {@code generation_config.json} says of sampling, which llama.cpp is told on its command line. */
    private static final List<String> SAMPLING =
            List.of("temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty");

    private final Checkpoint model;
    private final GgufShape shape;
    private final ExportPlan plan;
    private final boolean hasVocabulary;
    private final List<String> sentences = new ArrayList<>();

    ExportLosses(Checkpoint model, GgufShape shape, ExportPlan plan, boolean hasVocabulary) {
        this.model = model;
        this.shape = shape;
        this.plan = plan;
        this.hasVocabulary = hasVocabulary;
    }

    List<String> sentences(Progress progress) {
        sentences.clear();
        vocabulary();
        tensors();
        window();
        addedTokens();
        generation();
        zeros(progress);
        return List.copyOf(sentences);
    }

    /** Whether zeros in a tensor of the file are the zeros of pruning. */
    static boolean isBlockMatrix(GgufSpec spec) {
        return spec.extents().size() >= 2 && spec.name().startsWith("blk.");
    }

    static long zeros(Tensor tensor) {
        return Tensors.countTrue(tensor.eq(new Scalar(0.0)));
    }

    private void vocabulary() {
        if (!hasVocabulary) {
            sentences.add(
                    "there is no tokenizer that can be read, so the file has no vocabulary: llama.cpp can run it on token"
                            + " ids only");
        }
    }

    private void tensors() {
        if (plan.leftOut().isEmpty()) {
            return;
        }
        List<String> names = List.copyOf(new TreeSet<>(plan.leftOut()));
        sentences.add(
                names.size()
                        + (names.size() == 1 ? " tensor is" : " tensors are")
                        + " left out, as the network does not read them: "
                        + Text.line(
                                String.join(", ", names.subList(0, Math.min(SHOWN, names.size()))))
                        + (names.size() > SHOWN ? ", ..." : ""));
    }

    private void window() {
        boolean ignored = Architecture.ofFamily(shape.family()).windowPattern() == 1;
        if (shape.window() != null && ignored) {
            sentences.add(
                    "each token sees "
                            + shape.window()
                            + " tokens here; llama.cpp lets it see all in this family, so longer texts come out differently"
                            + " there");
        }
    }

    private void addedTokens() {
        long greedy = 0;
        for (JsonNode token : json("tokenizer.json").path("added_tokens")) {
            boolean special =
                    token.path("lstrip").asBoolean(false)
                            || token.path("rstrip").asBoolean(false)
                            || token.path("single_word").asBoolean(false);
            greedy += special ? 1 : 0;
        }
        if (greedy > 0) {
            sentences.add(
                    greedy
                            + (greedy == 1
                                    ? " added token swallows spaces beside it or stands alone only"
                                    : " added tokens swallow spaces beside them or stand alone only")
                            + " (lstrip, rstrip, single_word), which the file cannot say: llama.cpp may cut texts with"
                            + (greedy == 1 ? " it" : " them")
                            + " differently");
        }
    }

    private void generation() {
        JsonNode generation = json("generation_config.json");
        List<String> settings = new ArrayList<>();
        for (String key : SAMPLING) {
            if (generation.path(key).isNumber()) {
                settings.add(key + " " + generation.path(key));
            }
        }
        if (!settings.isEmpty()) {
            sentences.add(
                    "generation_config.json samples with "
                            + String.join(", ", settings)
                            + ", which the file cannot say; give llama.cpp these on its command line");
        }
        JsonNode ends = generation.path("eos_token_id");
        if (ends.isArray() && ends.size() > 1) {
            sentences.add(
                    "a text ends with any of the tokens "
                            + Text.line(ends.toString())
                            + "; the file names one, and others llama.cpp knows by their usual texts only");
        }
    }

    /** Blocks that have a minimum of their own do not hold zero. */
    private void zeros(Progress progress) {
        List<GgufSpec> matrices =
                plan.specs().stream().filter(ExportLosses::isBlockMatrix).toList();
        if (matrices.stream().allMatch(spec -> keepsZeros(spec.type()))) {
            return;
        }
        long weights = 0;
        long zeros = 0;
        long lost = 0;
        for (int i = 0; i < matrices.size(); i++) {
            progress.step("counting zeros of tensor", i, matrices.size());
            GgufSpec spec = matrices.get(i);
            for (String source : plan.sources(spec)) {
                long own;
                try (PointerScope scope = new PointerScope()) {
                    own = zeros(model.tensor(source));
                } finally {
                    model.unload(source);
                }
                zeros += own;
                lost += keepsZeros(spec.type()) ? 0 : own;
            }
            weights += spec.elements();
        }
        progress.step("counting zeros of tensor", matrices.size(), matrices.size());
        if (zeros < PRUNED * weights) {
            return;
        }
        TreeSet<String> types = new TreeSet<>();
        matrices.stream()
                .filter(spec -> !keepsZeros(spec.type()))
                .forEach(spec -> types.add(spec.type().name()));
        sentences.add(
                String.format(
                        Locale.ROOT,
                        "%.1f %% of the weights in the blocks are zero, and %.1f %% of these zeros are stored as %s,"
                                + " which turns them into small numbers; f16, bf16, q8_0 and q4_0 keep them",
                        100.0 * zeros / weights,
                        100.0 * lost / zeros,
                        String.join(" or ", types)));
    }

    /** Whether a zero comes back as a zero; of the types that are written. */
    static boolean keepsZeros(GgufType type) {
        return switch (type) {
            case Q4_1, Q5_1, Q2_K, Q4_K, Q5_K -> false;
            default -> true;
        };
    }

    private JsonNode json(String name) {
        byte[] bytes = model.sideFile(name);
        return bytes == null ? Json.MAPPER.createObjectNode() : Json.MAPPER.readTree(bytes);
    }
}
