package org.espalier.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.espalier.core.UserError;
import org.espalier.network.Linear.BiasSlot;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;

/** Which tensors of a checkpoint a decoder consists of: their names in this very file, and the shapes they must have. */
final class Layout {
    private final DecoderConfig config;
    private final Family family;
    private final WeightSource weights;

    /** What the file leaves out at the beginning of every name; empty where it leaves out nothing. */
    private final String omitted;

    private final List<String> problems = new ArrayList<>();

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
        return family.kinds().stream().map(kind -> linear(kind, block)).toList();
    }

    private Linear linear(String kind, int block) {
        long queries = config.heads() * config.headDim();
        long keys = config.kvHeads() * config.headDim();
        long rows =
                switch (kind) {
                    case "q" -> queries;
                    case "k", "v" -> keys;
                    case "qkv" -> queries + 2 * keys;
                    case "gate", "up" -> config.intermediate();
                    case "o", "down" -> config.hidden();
                    default -> throw new IllegalArgumentException(kind);
                };
        long columns =
                switch (kind) {
                    case "o" -> queries;
                    case "down" -> config.intermediate();
                    default -> config.hidden();
                };
        Family.Matrix matrix = matrix(kind);
        return new Linear(
                module(matrix.name(), block),
                block,
                kind,
                rows,
                columns,
                family.transposed(),
                slot(matrix));
    }

    private Family.Matrix matrix(String kind) {
        Family.Matrix matrix = family.matrices().get(kind);
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
        expect(module(names.embedding()) + ".weight", config.vocabulary(), config.hidden());
        if (names.positions() != null) {
            expect(module(names.positions()) + ".weight", config.maxPositions(), config.hidden());
        }
        for (int block = 0; block < config.blocks(); block++) {
            checkNorm(module(names.attentionNorm(), block), config.hidden());
            linears(block).forEach(this::checkLinear);
            checkHeadNorm(names.qNorm(), block);
            checkHeadNorm(names.kNorm(), block);
            checkNorm(module(names.mlpNorm(), block), config.hidden());
        }
        checkNorm(module(names.finalNorm()), config.hidden());
        if (!config.tied()) {
            expect(module(names.head()) + ".weight", config.vocabulary(), config.hidden());
        }
    }

    private void checkNorm(String module, long width) {
        expect(module + ".weight", width);
        if (family.norm() == Family.Norm.LAYER) {
            expect(module + ".bias", width);
        }
    }

    private void checkHeadNorm(@Nullable String pattern, int block) {
        if (pattern != null) {
            expect(module(pattern, block) + ".weight", config.headDim());
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
