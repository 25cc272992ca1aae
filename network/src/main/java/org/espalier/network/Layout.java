package org.espalier.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.core.UserError;
import org.espalier.network.Linear.BiasSlot;
import org.espalier.network.family.Experts;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/** Which tensors of a checkpoint a decoder consists of: their names in this very file, and the shapes they must have. */
final class Layout {
    private static final List<String> ATTENTION =
            List.of("q", "k", "v", "qkv", "q_a", "q_b", "kv_a", "kv_b", "o");
    private static final List<String> MLP = List.of("gate", "up", "down");

    /** With so many problems the file is of another model, and the rest of them would only cost memory. */
    private static final int ENOUGH = 1000;

    private final DecoderConfig config;
    private final Family family;
    private final WeightSource weights;

    /** What the file leaves out at the beginning of every name; empty where it leaves out nothing. */
    private final String omitted;

    private final List<String> problems = new ArrayList<>();

    /** Every tensor that the decoder consists of. */
    private final Set<String> tensors = new LinkedHashSet<>();

    /** Checks every tensor; all problems go into one {@link UserError}. */
    Layout(DecoderConfig config, WeightSource weights) {
        this.config = config;
        this.family = config.family();
        this.weights = weights;
        this.omitted = omitted(family, weights);
        check();
        if (!problems.isEmpty()) {
            throw new UserError("checkpoint: " + Complaints.join(problems));
        }
    }

    /** Names of all tensors that the decoder consists of. */
    Set<String> tensors() {
        return Collections.unmodifiableSet(tensors);
    }

    /** The module that a pattern stands for. */
    String module(String pattern, int block) {
        String name = pattern.replace("{block}", Integer.toString(block));
        return name.startsWith(omitted) ? name.substring(omitted.length()) : name;
    }

    /** The module that a pattern without block stands for. */
    String module(String pattern) {
        return module(pattern, 0);
    }

    /** The prunable matrices of a block, in forward order. */
    List<Linear> linears(int block) {
        return List.copyOf(roles(block).values());
    }

    /**
     * The prunable matrices of a block by what they do there, in forward order: their kind, with {@code experts.3.} before
     * it for expert 3 and {@code shared.} for the shared one.
     */
    Map<String, Linear> roles(int block) {
        Map<String, Linear> roles = new LinkedHashMap<>();
        boolean mixed = config.hasExperts(block);
        for (String kind : family.kinds()) {
            if (present(kind) && (!mixed || ATTENTION.contains(kind))) {
                String name = module(matrix(kind).name(), block);
                roles.put(kind, linear(name, kind, block, config.intermediate(), matrix(kind)));
            }
        }
        Experts experts = family.experts();
        Mixture mixture = config.mixture();
        if (mixed && experts != null && mixture != null) {
            for (long expert = 0; expert < mixture.count(); expert++) {
                String number = Long.toString(expert);
                for (String kind : MLP) {
                    Family.Matrix matrix = required(experts.matrices(), kind);
                    String name = module(matrix.name(), block).replace("{expert}", number);
                    roles.put(
                            "experts." + number + "." + kind,
                            linear(name, kind, block, mixture.intermediate(), matrix));
                }
            }
            Experts.Shared shared = experts.shared();
            if (shared != null && mixture.sharedIntermediate() > 0) {
                for (String kind : MLP) {
                    Family.Matrix matrix = required(shared.matrices(), kind);
                    String name = module(matrix.name(), block);
                    roles.put(
                            "shared." + kind,
                            linear(name, kind, block, mixture.sharedIntermediate(), matrix));
                }
            }
        }
        return roles;
    }

    /** Of a latent attention's two ways to make queries, a model has one. */
    private boolean present(String kind) {
        Latent latent = config.latent();
        return switch (kind) {
            case "q" -> latent == null || latent.queryRank() == 0;
            case "q_a", "q_b" -> latent != null && latent.queryRank() > 0;
            default -> true;
        };
    }

    private Linear linear(
            String name, String kind, int block, long intermediate, Family.Matrix matrix) {
        long queries = config.heads() * config.headDim();
        long keys = config.kvHeads() * config.headDim();
        Latent latent = config.latent();
        long queryRank = latent == null ? 0 : latent.queryRank();
        long keyRank = latent == null ? 0 : latent.keyValueRank();
        long rows =
                switch (kind) {
                    case "q", "q_b" -> queries;
                    case "q_a" -> queryRank;
                    case "kv_a" -> keyRank + config.rotaryWidth();
                    case "kv_b" ->
                            config.heads()
                                    * (config.headDim() - config.rotaryWidth() + config.valueDim());
                    case "k", "v" -> keys;
                    case "qkv" -> queries + 2 * keys;
                    case "gate", "up" -> intermediate;
                    case "gate_up" -> 2 * intermediate;
                    case "o", "down" -> config.hidden();
                    default -> throw new IllegalArgumentException(kind);
                };
        long columns =
                switch (kind) {
                    case "o" -> config.heads() * config.valueDim();
                    case "q_b" -> queryRank;
                    case "kv_b" -> keyRank;
                    case "down" -> intermediate;
                    default -> config.hidden();
                };
        return new Linear(name, block, kind, rows, columns, family.transposed(), slot(matrix));
    }

    private Family.Matrix matrix(String kind) {
        return required(family.matrices(), kind);
    }

    private Family.Matrix required(Map<String, Family.Matrix> matrices, String kind) {
        Family.Matrix matrix = matrices.get(kind);
        if (matrix == null) {
            throw new IllegalArgumentException(family.modelType() + " has no matrix " + kind);
        }
        return matrix;
    }

    private BiasSlot slot(Family.Matrix matrix) {
        return switch (matrix.bias()) {
            case ALWAYS -> BiasSlot.PRESENT;
            case NEVER -> BiasSlot.NONE;
            case SWITCHED ->
                    config.biases().getOrDefault(matrix.biasSwitch(), false)
                            ? BiasSlot.PRESENT
                            : BiasSlot.SWITCHABLE;
        };
    }

    private static String omitted(Family family, WeightSource weights) {
        String prefix = family.optionalPrefix();
        String probe = family.names().embedding() + ".weight";
        return prefix != null
                        && probe.startsWith(prefix)
                        && !weights.contains(probe)
                        && weights.contains(probe.substring(prefix.length()))
                ? prefix
                : "";
    }

    private void check() {
        Family.Names names = family.names();
        Switches switches = config.switches();
        long width = switches.embeddingWidth();
        expect(module(names.embedding()) + ".weight", config.vocabulary(), width);
        if (names.positions() != null) {
            long rows = config.maxPositions() + family.settings().positionOffset();
            expect(module(names.positions()) + ".weight", rows, config.hidden());
        }
        if (width != config.hidden() && names.projectIn() != null && names.projectOut() != null) {
            expect(module(names.projectIn()) + ".weight", config.hidden(), width);
            expect(module(names.projectOut()) + ".weight", width, config.hidden());
        }
        checkNorm(names.embeddingNorm(), 0);
        for (int block = 0; block < config.blocks() && problems.size() < ENOUGH; block++) {
            checkBlock(names, block);
        }
        if (switches.normFirst()) {
            checkNorm(names.finalNorm(), 0);
        }
        if (!config.tied()) {
            expect(module(names.head()) + ".weight", config.vocabulary(), width);
        }
    }

    private void checkBlock(Family.Names names, int block) {
        checkNorm(names.attentionNorm(), block);
        linears(block).forEach(this::checkLinear);
        checkHeadNorm(names.qNorm(), block, config.heads());
        checkHeadNorm(names.kNorm(), block, config.kvHeads());
        checkLatentNorms(block);
        checkNorm(names.attentionOutputNorm(), block);
        checkNorm(names.mlpNorm(), block);
        checkNorm(names.mlpOutputNorm(), block);
        Experts experts = family.experts();
        if (config.hasExperts(block) && experts != null && config.mixture() != null) {
            long count = config.mixture().count();
            expect(module(experts.router(), block) + ".weight", count, config.hidden());
            if (experts.correction() != null) {
                expect(module(experts.correction(), block), count);
            }
            if (experts.shared() != null && experts.shared().gate() != null) {
                expect(module(experts.shared().gate(), block) + ".weight", 1, config.hidden());
            }
        }
    }

    private void checkLatentNorms(int block) {
        Family.Latent names = family.latent();
        Latent latent = config.latent();
        if (names != null && latent != null) {
            if (latent.queryRank() > 0) {
                expect(module(names.queryNorm(), block) + ".weight", latent.queryRank());
            }
            expect(module(names.keyValueNorm(), block) + ".weight", latent.keyValueRank());
        }
    }

    private void checkNorm(@Nullable String pattern, int block) {
        if (pattern != null) {
            expect(module(pattern, block) + ".weight", config.hidden());
            if (family.norm() == Family.Norm.LAYER) {
                expect(module(pattern, block) + ".bias", config.hidden());
            }
        }
    }

    private void checkHeadNorm(@Nullable String pattern, int block, long heads) {
        if (pattern != null) {
            long width = family.wholeWidthNorm() ? heads * config.headDim() : config.headDim();
            expect(module(pattern, block) + ".weight", width);
        }
    }

    private void checkLinear(Linear linear) {
        if (linear.transposed()) {
            expect(linear.weightName(), linear.columns(), linear.rows());
        } else {
            expect(linear.weightName(), linear.rows(), linear.columns());
        }
        if (linear.bias() == BiasSlot.PRESENT) {
            expect(linear.biasName(), linear.rows());
        } else if (weights.contains(linear.biasName())) {
            // Dropping it in silence would make another model of it.
            problems.add(
                    linear.biasName() + " is there although config.json says there is no bias");
        }
    }

    private void expect(String name, long... shape) {
        tensors.add(name);
        if (!weights.contains(name)) {
            problems.add(name + " is missing");
        } else if (!Arrays.equals(weights.shape(name), shape)) {
            problems.add(
                    name
                            + " has shape "
                            + Arrays.toString(weights.shape(name))
                            + " but config.json makes it "
                            + Arrays.toString(shape));
        }
    }
}
