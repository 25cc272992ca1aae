package org.espalier.prune;

import java.util.Arrays;
import java.util.Random;
import java.util.function.BiConsumer;

/** Layers that break numerics: what is spoilt is either the weight matrix or the inputs that it reads. */
enum HostileLayer {
    ORDINARY((_, _) -> {}),
    FEWER_TOKENS_THAN_INPUTS((_, layer) -> layer.tokens(3)),
    ONE_TOKEN((_, layer) -> layer.tokens(1)),
    ALL_INPUTS_ZERO((_, layer) -> Arrays.fill(layer.inputs, 0)),
    DEAD_CHANNELS((random, layer) ->
            layer.eachColumn(
                    column -> random.nextInt(3) == 0 || column == 0,
                    (column, at) -> layer.inputs[at] = 0)),
    ONE_LIVE_CHANNEL((_, layer) ->
            layer.eachColumn(
                    column -> column != layer.columns / 2, (_, at) -> layer.inputs[at] = 0)),
    REPEATED_CHANNELS((_, layer) ->
            layer.eachColumn(
                    column -> column % 3 != 0,
                    (column, at) -> layer.inputs[at] = layer.inputs[at - column % 3])),
    ALL_CHANNELS_EQUAL((_, layer) ->
            layer.eachColumn(
                    _ -> true, (column, at) -> layer.inputs[at] = layer.inputs[at - column])),
    NEGATIVE_ZEROS((_, layer) -> Arrays.fill(layer.weight, -0.0f)),
    ALL_WEIGHTS_ZERO((_, layer) -> Arrays.fill(layer.weight, 0)),
    ALL_WEIGHTS_EQUAL((_, layer) -> Arrays.fill(layer.weight, 0.25f)),
    ZERO_ROWS((_, layer) -> {
        for (int row = 0; row < layer.rows; row += 2) {
            Arrays.fill(layer.weight, row * layer.columns, (row + 1) * layer.columns, 0);
        }
    }),
    ZERO_COLUMNS((_, layer) -> {
        for (int at = 0; at < layer.weight.length; at++) {
            layer.weight[at] *= at % layer.columns % 2;
        }
    }),
    HUGE_WEIGHTS((_, layer) -> scale(layer.weight, 1e30f)),
    LARGEST_WEIGHTS((_, layer) -> scale(layer.weight, 6e37f)),
    ONE_HUGE_WEIGHT((_, layer) -> layer.weight[layer.weight.length / 2] = 1e30f),
    TINY_WEIGHTS((_, layer) -> scale(layer.weight, 1e-30f)),
    DENORMAL_WEIGHTS((_, layer) -> scale(layer.weight, 1e-40f)),
    HUGE_AND_TINY_WEIGHTS((random, layer) -> {
        for (int at = 0; at < layer.weight.length; at++) {
            layer.weight[at] *= random.nextBoolean() ? 1e30f : 1e-30f;
        }
    }),
    LARGE_INPUTS((_, layer) -> scale(layer.inputs, 1e12f)),
    HUGE_INPUTS((_, layer) -> scale(layer.inputs, 1e30f)),
    SMALL_INPUTS((_, layer) -> scale(layer.inputs, 1e-12f)),
    TINY_INPUTS((_, layer) -> scale(layer.inputs, 1e-30f)),
    ONE_HUGE_CHANNEL((_, layer) ->
            layer.eachColumn(column -> column == 0, (_, at) -> layer.inputs[at] *= 1e9f)),
    ONE_TINY_CHANNEL((_, layer) ->
            layer.eachColumn(column -> column == 0, (_, at) -> layer.inputs[at] *= 1e-30f)),
    WEIGHTS_AGAINST_INPUTS((_, layer) -> {
        scale(layer.weight, 1e15f);
        scale(layer.inputs, 1e-15f);
    }),
    SMALL_AGAINST_LARGE((_, layer) -> {
        scale(layer.weight, 1e-15f);
        scale(layer.inputs, 1e15f);
    });

    @SuppressWarnings("ImmutableEnumChecker") // functions without state
    private final BiConsumer<Random, Content> spoil;

    HostileLayer(BiConsumer<Random, Content> spoil) {
        this.spoil = spoil;
    }

    /** A layer with correlated inputs, spoilt. */
    Content make(long seed, int rows, int columns) {
        Random random = new Random(seed);
        Content layer = new Content(rows, columns, normal(random, rows * columns));
        int tokens = 2 * columns + 5;
        layer.inputs = normal(random, tokens * columns);
        for (int at = 0; at < layer.inputs.length; at++) {
            layer.inputs[at] += at % columns == 0 ? 0 : layer.inputs[at - at % columns];
        }
        spoil.accept(random, layer);
        return layer;
    }

    private static float[] normal(Random random, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static void scale(float[] values, float factor) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
    }

    /** Weight [rows, columns] and inputs [tokens, columns]. */
    static final class Content {
        final int rows;
        final int columns;
        final float[] weight;
        float[] inputs = new float[0];

        Content(int rows, int columns, float[] weight) {
            this.rows = rows;
            this.columns = columns;
            this.weight = weight;
        }

        int tokens() {
            return inputs.length / columns;
        }

        private void tokens(int count) {
            inputs = Arrays.copyOf(inputs, count * columns);
        }

        private void eachColumn(
                java.util.function.IntPredicate which,
                java.util.function.BiConsumer<Integer, Integer> change) {
            boolean[] chosen = new boolean[columns];
            for (int column = 0; column < columns; column++) {
                chosen[column] = which.test(column);
            }
            for (int at = 0; at < inputs.length; at++) {
                if (chosen[at % columns]) {
                    change.accept(at % columns, at);
                }
            }
        }

        /** ||(W - V) X||^2 in float64. */
        double error(float[] pruned) {
            double error = 0;
            for (int row = 0; row < rows; row++) {
                for (int token = 0; token < tokens(); token++) {
                    double missing = 0;
                    for (int column = 0; column < columns; column++) {
                        int at = row * columns + column;
                        double change = (double) weight[at] - pruned[at];
                        missing += change * inputs[token * columns + column];
                    }
                    error += missing * missing;
                }
            }
            return error;
        }
    }
}
