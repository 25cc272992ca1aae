package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Block;
import org.espalier.network.Decoder;
import org.espalier.network.Linear;
import org.espalier.network.WeightSource;
import org.espalier.prune.calibrate.Calibration;
import org.espalier.prune.calibrate.Thrift;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Whatever a run does to spare memory, what comes out is the same to the bit. */
class PrunerThriftTest {
    private static final long SEED = 2026;

    /** Between one and all inputs of a block, for the groups to be of several sizes. */
    private static final long SOME_STATISTICS = 1700;

    @TempDir Path folder;

    static Iterable<String> recipes() {
        return RecipeBook.shipped().names();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyWayGivesTheSameToTheBit(String name) throws IOException {
        Recipe recipe = RecipeBook.shipped().recipe(name);
        try (TinyLlama model = new TinyLlama(SEED);
                Half half = new Half(model);
                Decoder decoder = Decoder.open(TinyLlama.config(), half)) {
            compare(recipe, decoder, 3 * 7);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"wanda", "sparsegpt", "alps", "dsnot"})
    void expertsAsWell(String name) throws IOException {
        ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(PrunerExpertsTest.CONFIG);
        try (PrunerExpertsTest.TinyMixtral model = new PrunerExpertsTest.TinyMixtral();
                Decoder decoder = Decoder.open(config, model)) {
            compare(RecipeBook.shipped().recipe(name), decoder, 4 + 3 * 3);
        }
    }

    private void compare(Recipe recipe, Decoder decoder, int layers) throws IOException {
        Recorder plain = new Recorder();
        PruneOutcome outcome = run(recipe, decoder, plain, Thrift.NONE);
        assertThat(plain.weights).hasSize(layers);
        Path scratch = folder.resolve("scratch");
        Path gram = folder.resolve("gram");
        for (Thrift thrift :
                List.of(
                        new Thrift(scratch, Long.MAX_VALUE, null, Block.Loading.WHOLE),
                        new Thrift(null, 0, null, Block.Loading.WHOLE),
                        new Thrift(null, Long.MAX_VALUE, null, Block.Loading.ON_DEMAND),
                        new Thrift(scratch, SOME_STATISTICS, null, Block.Loading.WHOLE),
                        new Thrift(scratch, 0, null, Block.Loading.ON_DEMAND),
                        new Thrift(null, Long.MAX_VALUE, gram, Block.Loading.WHOLE),
                        new Thrift(scratch, SOME_STATISTICS, gram, Block.Loading.ON_DEMAND))) {
            Recorder sparing = new Recorder();
            PruneOutcome other = run(recipe, decoder, sparing, thrift);
            assertThat(sparing.weights.keySet()).isEqualTo(plain.weights.keySet());
            sparing.weights.forEach((layer, weight) ->
                    assertThat(weight)
                            .as(layer + " with " + thrift)
                            .isEqualTo(plain.weights.get(layer)));
            assertThat(other.blocks().stream().map(BlockOutcome::outputError))
                    .isEqualTo(outcome.blocks().stream().map(BlockOutcome::outputError).toList());
            assertThat(other.layers().stream().map(LayerOutcome::error))
                    .isEqualTo(outcome.layers().stream().map(LayerOutcome::error).toList());
            assertThat(folder).isEmptyDirectory();
        }
    }

    @Test
    void aRunThatFailsLeavesNoScratchFile() throws IOException {
        Path scratch = folder.resolve("scratch");
        // What a run that was killed may have left on other systems.
        Files.writeString(scratch, "old");
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open()) {
            LayerSink full =
                    (linear, weight, bias) -> {
                        throw new IllegalStateException("full");
                    };
            Recipe recipe = RecipeBook.shipped().recipe("wanda");
            Thrift thrift = new Thrift(scratch, 0, null, Block.Loading.ON_DEMAND);
            assertThatThrownBy(() -> run(recipe, decoder, full, thrift)).hasMessage("full");
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aScratchFileThatCannotBeMadeIsNamed() {
        try (TinyLlama model = new TinyLlama(SEED);
                Decoder decoder = model.open()) {
            Path scratch = folder.resolve("absent").resolve("scratch");
            Thrift thrift = new Thrift(scratch, 0, null, Block.Loading.WHOLE);
            Recipe recipe = RecipeBook.shipped().recipe("wanda");
            assertThatThrownBy(() -> run(recipe, decoder, new Recorder(), thrift))
                    .isInstanceOf(org.espalier.core.UserError.class)
                    .hasMessageContaining("scratch file " + scratch);
        }
    }

    private static PruneOutcome run(Recipe recipe, Decoder decoder, LayerSink sink, Thrift thrift) {
        Random random = new Random(SEED);
        List<long[]> ids =
                Stream.of(16, 16, 11, 16, 7).map(n -> random.longs(n, 0, 17).toArray()).toList();
        return new Pruner(
                        PrunePlan.of(Method.of(recipe), decoder),
                        decoder,
                        new Calibration(ids),
                        _ -> ScalarType.BFloat16,
                        Progress.SILENT,
                        thrift)
                .run(sink);
    }

    /** Keeps what was pruned. */
    private static final class Recorder implements LayerSink {
        final Map<String, float[]> weights = new HashMap<>();

        @Override
        public void write(Linear linear, Tensor weight, @Nullable Tensor bias) {
            weights.put(linear.name(), Tensors.toFloats(weight));
        }
    }

    /** A model stored in bfloat16. */
    private static final class Half implements WeightSource, AutoCloseable {
        private final WeightSource source;
        private final Map<String, Tensor> tensors = new HashMap<>();

        Half(WeightSource source) {
            this.source = source;
        }

        @Override
        public boolean contains(String name) {
            return source.contains(name);
        }

        @Override
        public long[] shape(String name) {
            return source.shape(name);
        }

        @Override
        public Tensor tensor(String name) {
            return tensors.computeIfAbsent(
                    name,
                    key -> {
                        try (PointerScope scope = new PointerScope()) {
                            return Tensors.own(source.tensor(key).to(ScalarType.BFloat16));
                        }
                    });
        }

        @Override
        public void close() {
            new ArrayList<>(tensors.values()).forEach(Tensor::close);
        }
    }
}
