package org.espalier.prune.allocate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.Rounding;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;

/** Reading the scores layer by layer gives what sorting all of them in memory gives, ties included. */
class GlobalStreamingTest {
    /** A weight by where it is. */
    private record Place(int layer, float score) {}

    @Test
    void theResultIsThatOfAStableSortOfAllScores() {
        long seed = new Random().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 150; round++) {
            List<LayerShape> layers = new ArrayList<>();
            List<float[]> scores = new ArrayList<>();
            boolean tied = random.nextBoolean();
            for (int layer = 0; layer < 1 + random.nextInt(7); layer++) {
                long rows = 1 + random.nextLong(9);
                long columns = 1 + random.nextLong(30);
                layers.add(new LayerShape("layers." + layer, layer / 2, rows, columns));
                float scale = (float) Math.exp(3 * random.nextGaussian());
                float[] values = new float[(int) (rows * columns)];
                for (int i = 0; i < values.length; i++) {
                    values[i] =
                            tied
                                    ? random.nextInt(4)
                                    : scale * (float) Math.abs(random.nextGaussian());
                }
                scores.add(values);
            }
            double minimum = round % 3 == 0 ? 0 : 0.3 * random.nextDouble();
            double sparsity = random.nextDouble();
            assertThat(new Global(minimum).wanted(layers, new Scores(layers, scores), sparsity))
                    .as("seed %d, round %d", seed, round)
                    .isEqualTo(inMemory(layers, scores, sparsity, minimum));
        }
    }

    private static double[] inMemory(
            List<LayerShape> layers, List<float[]> scores, double sparsity, double minimum) {
        long[] removed = new long[layers.size()];
        boolean[] full = new boolean[layers.size()];
        long budget = 0;
        for (LayerShape layer : layers) {
            budget += Rounding.removed(layer.size(), sparsity);
        }
        boolean again = true;
        while (again) {
            again = false;
            List<Place> places = new ArrayList<>();
            for (int layer = 0; layer < full.length; layer++) {
                if (!full[layer]) {
                    removed[layer] = 0;
                    for (float score : scores.get(layer)) {
                        places.add(new Place(layer, score));
                    }
                }
            }
            places.sort(Comparator.comparingDouble(Place::score));
            places.stream().limit(budget).forEach(place -> removed[place.layer()]++);
            for (int layer = 0; layer < full.length; layer++) {
                long most =
                        Rounding.removed(layers.get(layer).size(), Math.max(sparsity, 1 - minimum));
                if (!full[layer] && removed[layer] > most) {
                    full[layer] = true;
                    removed[layer] = most;
                    budget -= most;
                    again = true;
                }
            }
        }
        double[] wanted = new double[removed.length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = (double) removed[i] / layers.get(i).size();
        }
        return wanted;
    }

    private record Scores(List<LayerShape> layers, List<float[]> values) implements NetworkScores {
        @Override
        public void layers(LayerReader reader) {
            for (int layer = 0; layer < values.size(); layer++) {
                try (PointerScope scope = new PointerScope()) {
                    reader.read(
                            layer,
                            Tensors.floats(
                                    values.get(layer),
                                    layers.get(layer).rows(),
                                    layers.get(layer).columns()));
                }
            }
        }

        @Override
        public void blocks(Consumer<List<Tensor>> reader) {
            throw new IllegalStateException("the global allocation reads layers");
        }
    }
}
