package org.espalier.prune;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.core.UserError;
import org.espalier.core.recipe.Protection;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.network.family.Family;
import org.espalier.prune.allocate.LayerShape;
import org.espalier.prune.select.Selector;
import tools.jackson.databind.node.ObjectNode;

/**
 * A method resolved against a model: every mistake that a user can make is found here, before the first minute is spent.
 *
 * @param method what is to be done
 * @param layers the matrices to be pruned, in forward order
 * @param dense the matrices that the recipe leaves as they are
 */
public record PrunePlan(Method method, List<Linear> layers, List<Linear> dense) {
    public PrunePlan {
        layers = List.copyOf(layers);
        dense = List.copyOf(dense);
    }

    /**
     * Resolves a method against a model.
     *
     * @throws UserError where the pattern does not fit a matrix or a repair finds no place for its bias, with the
     *     reason and how many matrices share it; or where what is protected is nothing or everything
     */
    public static PrunePlan of(Method method, Decoder decoder) {
        List<Linear> layers = new ArrayList<>();
        List<Linear> dense = new ArrayList<>();
        Protection protect = method.recipe().protect();
        Map<String, List<String>> refusals = new LinkedHashMap<>();
        for (int block = 0; block < decoder.blocks(); block++) {
            for (Linear linear : decoder.linears(block)) {
                if (protect.fitting(linear.name(), block, linear.kind()) != null) {
                    dense.add(linear);
                    continue;
                }
                layers.add(linear);
                refusal(method, linear)
                        .ifPresent(reason ->
                                refusals.computeIfAbsent(reason, r -> new ArrayList<>())
                                        .add(linear.name()));
            }
        }
        requireSense(method, layers, dense);
        if (!refusals.isEmpty()) {
            List<String> lines = new ArrayList<>();
            refusals.forEach((reason, names) ->
                    lines.add(
                            names.getFirst()
                                    + (names.size() > 1
                                            ? " and " + (names.size() - 1) + " more"
                                            : "")
                                    + ": "
                                    + reason));
            throw new UserError(
                    "recipe "
                            + method.recipe().name()
                            + " does not fit this model: "
                            + String.join("; ", lines));
        }
        return new PrunePlan(method, layers, dense);
    }

    /** A pattern that fits nothing is a slip, and so is one that leaves nothing to do. */
    private static void requireSense(Method method, List<Linear> layers, List<Linear> dense) {
        Protection protect = method.recipe().protect();
        String recipe = "recipe " + method.recipe().name() + ": protect: ";
        for (String pattern : protect.patterns()) {
            if (dense.stream()
                    .noneMatch(linear ->
                            Protection.fits(
                                    pattern, linear.name(), linear.block(), linear.kind()))) {
                throw new UserError(
                        recipe
                                + "'"
                                + pattern
                                + "' fits no matrix of this model; they are named like "
                                + layers.stream()
                                        .findFirst()
                                        .map(linear ->
                                                linear.name()
                                                        + ", or blocks."
                                                        + linear.block()
                                                        + "."
                                                        + linear.kind())
                                        .orElse("blocks.0.q"));
            }
        }
        if (layers.isEmpty() && !dense.isEmpty()) {
            throw new UserError(recipe + "every matrix is left dense, so nothing would be pruned");
        }
        if (method.repair().changesBias()) {
            dense.stream()
                    .filter(linear -> linear.bias() == Linear.BiasSlot.SWITCHABLE)
                    .findFirst()
                    .ifPresent(linear -> {
                        throw new UserError(
                                recipe
                                        + linear.name()
                                        + " would lack the bias that '"
                                        + method.recipe().repair().method()
                                        + "' makes the configuration promise; choose another repair, or leave"
                                        + " protect out");
                    });
        }
    }

    /** The matrices of one block that are pruned, in forward order. */
    public List<Linear> layers(int block) {
        return layers.stream().filter(linear -> linear.block() == block).toList();
    }

    /** The layers as the allocation sees them. */
    public List<LayerShape> shapes() {
        return layers.stream()
                .map(linear ->
                        new LayerShape(
                                linear.name(), linear.block(), linear.rows(), linear.columns()))
                .toList();
    }

    /**
     * The matrices that get a bias where there was none: all of a switch, for stock runtimes read it for all of them; it is
     * zero where the repair leaves a matrix alone.
     */
    public List<Linear> newBiases() {
        if (!method.repair().changesBias()) {
            return List.of();
        }
        return layers.stream()
                .filter(linear -> linear.bias() == Linear.BiasSlot.SWITCHABLE)
                .toList();
    }

    /**
     * The config.json of the pruned model: where the repair adds biases, the switches that make stock runtimes read them
     * are thrown.
     *
     * @param config config.json of the dense model; changed in place
     */
    public ObjectNode configAfter(ObjectNode config, Family family) {
        if (!newBiases().isEmpty()) {
            family.biasSwitches().forEach(key -> config.put(key, true));
        }
        return config;
    }

    private static Optional<String> refusal(Method method, Linear linear) {
        if (method.repair().changesBias()
                && method.repair().appliesTo(linear.kind())
                && linear.bias() == Linear.BiasSlot.NONE) {
            return Optional.of(
                    "the repair '"
                            + method.recipe().repair().method()
                            + "' needs a bias, and no configuration of this family has one there; choose another repair");
        }
        return Selector.refusal(method.recipe().select().pattern(), linear.rows(), linear.columns())
                .map(reason -> reason + ", or leave such matrices dense with --protect");
    }
}
