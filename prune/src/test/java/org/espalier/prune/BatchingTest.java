package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.prune.calibrate.HiddenStates;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.calibrate.StatisticsCollector;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** No statistic knows how the calibration sequences were put into batches, in attention, routed and shared experts. */
class BatchingTest {
    private static final int SEQUENCES = 12;

    /** So short that most experts see nothing of some sequences. */
    private static final int TOKENS = 4;

    @ParameterizedTest
    @EnumSource
    void theSizeOfABatchChangesNothing(Statistic statistic) {
        for (long seed : new long[] {1, 2, 3}) {
            List<long[]> sequences = sequences(seed);
            try (TinyCheckpoint model = TinyMixture.withSharedExpert(seed);
                    Decoder decoder = model.open()) {
                Map<String, double[]> single = gathered(decoder, statistic, sequences, 1);
                assertThat(single.keySet()).anyMatch(name -> name.contains("shared_expert."));
                assertThat(raggedExperts(single)).as("seed %d", seed).isGreaterThan(3);
                for (int size : new int[] {2, 3, SEQUENCES}) {
                    Map<String, double[]> batched = gathered(decoder, statistic, sequences, size);
                    assertThat(batched.keySet()).isEqualTo(single.keySet());
                    batched.forEach((name, values) -> {
                        double[] expected = Objects.requireNonNull(single.get(name));
                        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
                        assertThat(values)
                                .as("%s of %s, %d a batch, seed %d", statistic, name, size, seed)
                                .containsExactly(expected, within(2e-6 * largest));
                    });
                }
            }
        }
    }

    /** Experts that saw tokens of some sequences and not of others: those that a wrong count gives away. */
    private static long raggedExperts(Map<String, double[]> gathered) {
        return gathered.entrySet().stream()
                .filter(entry -> entry.getKey().endsWith("down_proj sequences"))
                .filter(entry -> entry.getValue()[0] > 0 && entry.getValue()[0] < SEQUENCES)
                .count();
    }

    /** Everything that can be asked of the statistics of every matrix in the second block. */
    private static Map<String, double[]> gathered(
            Decoder decoder, Statistic statistic, List<long[]> sequences, int size) {
        List<List<long[]>> batches = new ArrayList<>();
        for (int from = 0; from < sequences.size(); from += size) {
            batches.add(sequences.subList(from, Math.min(sequences.size(), from + size)));
        }
        Map<String, double[]> found = new TreeMap<>();
        try (AutoGradMode noGrad = Tensors.noGrad();
                HiddenStates states = HiddenStates.embed(batches, decoder::embed, null);
                Block first = decoder.block(0);
                Block second = decoder.block(1);
                StatisticsCollector collector = new StatisticsCollector(List.of(statistic))) {
            for (int batch = 0; batch < states.size(); batch++) {
                try (PointerScope scope = new PointerScope()) {
                    second.forward(first.forward(states.get(batch), null), collector);
                }
            }
            for (Linear linear : second.linears()) {
                try (PointerScope scope = new PointerScope()) {
                    ask(linear.name(), collector.of(linear), found);
                }
            }
        }
        return found;
    }

    /** All that {@link LayerStatistics} answers, by reflection, so that what is added to it is tested too. */
    private static void ask(String name, LayerStatistics statistics, Map<String, double[]> found) {
        for (Method method : LayerStatistics.class.getDeclaredMethods()) {
            if (method.getParameterCount() > 0 || !Modifier.isPublic(method.getModifiers())) {
                continue;
            }
            Object answer = answer(method, statistics);
            if (answer instanceof Tensor tensor) {
                found.put(name + " " + method.getName(), Tensors.toDoubles(tensor));
            } else if (answer instanceof Long number) {
                found.put(name + " " + method.getName(), new double[] {number});
            }
        }
    }

    /** Null where the statistic that it rests on was not gathered. */
    private static @Nullable Object answer(Method method, LayerStatistics statistics) {
        try {
            return method.invoke(statistics);
        } catch (InvocationTargetException e) {
            assertThat(e.getCause()).isInstanceOf(IllegalStateException.class);
            return null;
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static List<long[]> sequences(long seed) {
        Random random = new Random(seed);
        List<long[]> sequences = new ArrayList<>();
        for (int i = 0; i < SEQUENCES; i++) {
            sequences.add(random.longs(TOKENS, 0, TinyMixture.VOCABULARY).toArray());
        }
        return sequences;
    }
}
