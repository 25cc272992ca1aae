package org.espalier.prune.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.espalier.network.Block.Loading;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Linear;
import org.espalier.network.Linear.BiasSlot;
import org.espalier.prune.Method;
import org.espalier.prune.RecipeBook;
import org.espalier.prune.calibrate.BlockInputs;
import org.espalier.prune.calibrate.Statistic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The figures are worked out by hand from the shapes. */
class MemoryPlannerTest {
    private static final long RUNTIME = 512L * 1024 * 1024;
    private static final String CONFIG =
            """
            {"model_type": "llama", "vocab_size": 17, "hidden_size": 8, "intermediate_size": 12,
             "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1}
            """;

    /** 20 tokens run together, then 5. */
    private static final List<Integer> SEQUENCES = List.of(10, 10, 5);

    static Iterable<String> recipes() {
        return RecipeBook.shipped().names();
    }

    @Test
    void sparseGptInMemory() {
        // Block: 64 + 32 + 32 + 64 + 3 * 96 weights in float32. Statistics: three Gram matrices of
        // 8 x 8 and one of 12 x 12. States: 25 tokens of 8. Work: gate, 12 x 8, with its mask, its
        // solution, R, D, 12 rows of 1024 + 4 x 128 for a panel and a block, and the error on all
        // 12 rows.
        long work = 96 * 5 + 4 * (64 + 96 + 12 * 1536) + 4 * 4 * 12 * 8;
        assertThat(model("sparsegpt").estimate(false, Long.MAX_VALUE, Loading.WHOLE))
                .isEqualTo(
                        new MemoryEstimate(RUNTIME, 480 * 4, 4 * (3 * 64 + 144), 25 * 8 * 4, work));
    }

    @Test
    void sparseGptWithAsLittleAsPossible() {
        // What is solved is kept in two bytes per weight; each matrix is float32 while it is used.
        long work = 96 * 4 + 96 * 5 + 4 * (64 + 96 + 12 * 1536) + 4 * 4 * 12 * 8;
        assertThat(model("sparsegpt").estimate(true, 0, Loading.ON_DEMAND))
                .isEqualTo(new MemoryEstimate(RUNTIME, 480 * 2, 4 * 144, 0, work));
    }

    @Test
    void sparseGptWithGramMatricesOnTheDiskHoldsOneAtATime() {
        // Work: gate as above; its factor is the only matrix of 8 x 8.
        long work = 96 * 5 + 4 * (64 + 96 + 12 * 1536) + 4 * 4 * 12 * 8;
        assertThat(model("sparsegpt").estimate(false, true, Long.MAX_VALUE, Loading.WHOLE))
                .isEqualTo(new MemoryEstimate(RUNTIME, 480 * 4, 0, 25 * 8 * 4, work));
        // ALPS and least squares read it beside what they work in.
        long alps = model("alps").estimate(false, false, Long.MAX_VALUE, Loading.WHOLE).work();
        assertThat(model("alps").estimate(false, true, Long.MAX_VALUE, Loading.WHOLE).work())
                .isEqualTo(alps + 4 * 144);
    }

    @Test
    void wandaIsBoundedByTheForwardPass() {
        // Per token: two norms' worth, seven of the queries, four of the keys, and four around.
        long forward = 4 * 20 * (2 * 8 + 7 * 8 + 4 * 4 + 4 * 8);
        assertThat(model("wanda").estimate(false, Long.MAX_VALUE, Loading.WHOLE))
                .isEqualTo(
                        new MemoryEstimate(
                                RUNTIME, 480 * 4, 8 * (3 * 8 + 12), 25 * 8 * 4, forward));
    }

    @Test
    void magnitudeReadsNoTokens() {
        long work = 96 * (1 + 4 + 2 * 2) + 4 * 4 * 12 * 8;
        assertThat(model("magnitude").estimate(false, Long.MAX_VALUE, Loading.WHOLE))
                .isEqualTo(new MemoryEstimate(RUNTIME, 480 * 4, 0, 0, work));
        assertThat(MemoryPlanner.least(model("magnitude")).passes()).isZero();
    }

    @Test
    void anImportanceMatrixTakesNoPassNoStatesAndTheNormsOfOneInput() {
        MemoryModel model = model("wanda", List.of());
        MemoryEstimate estimate = model.estimate(false, Long.MAX_VALUE, Loading.WHOLE);
        assertThat(estimate.statistics()).isEqualTo(8 * 12);
        assertThat(estimate.states()).isZero();
        MemoryPlan plan = MemoryPlanner.within(model, Long.MAX_VALUE).orElseThrow();
        assertThat(plan.passes()).isZero();
        assertThat(plan.scratchBytes()).isZero();
        assertThat(Effort.operations(model, plan)).isZero();
    }

    @Test
    void theGlobalAllocationTakesLessThanThePruningThatFollows() {
        assertThat(model("magnitude-global").estimate(false, Long.MAX_VALUE, Loading.WHOLE))
                .isEqualTo(model("magnitude").estimate(false, Long.MAX_VALUE, Loading.WHOLE));
    }

    @Test
    void owlHoldsTheScoresOfOneBlockAndTheNormsOfAll() {
        MemoryEstimate estimate = model("owl-wanda").estimate(false, Long.MAX_VALUE, Loading.WHOLE);
        assertThat(estimate.block()).isEqualTo(4 * (480 + 480));
        assertThat(estimate.statistics()).isEqualTo(2 * 8 * (3 * 8 + 12));
    }

    @Test
    void theEffortIsThatOfForwardPassesStatisticsAndSolutions() {
        MemoryModel model = model("sparsegpt");
        MemoryPlan plan = MemoryPlanner.within(model, Long.MAX_VALUE).orElseThrow();
        // The first block once dense and once pruned, the last one only dense.
        double forward = 2.0 * 480 * 25 * 3;
        // Each token with half of its sequence on average, with two heads of 4.
        double attention = 3 * (4 * 0.5 * (100 + 100 + 25) * 8);
        double gram = 25 * (3 * 64 + 144);
        // c^2 (c / 3 + rows): q, o with 8 rows, k, v with 4, gate, up with 12, and down.
        double solve = 64 * (6 * 8 / 3.0 + 2 * 8 + 2 * 4 + 2 * 12) + 144 * (12 / 3.0 + 8);
        assertThat(Effort.operations(model, plan))
                .isCloseTo(forward + attention + 2 * (gram + solve), Offset.offset(1e-6));
    }

    @Test
    void theQuickestWayThatFitsIsTaken() {
        MemoryModel model = model("sparsegpt");
        long whole = model.estimate(false, Long.MAX_VALUE, Loading.WHOLE).total();
        assertThat(MemoryPlanner.within(model, whole).orElseThrow().measures()).isEmpty();
        MemoryPlan demand = MemoryPlanner.within(model, whole - 1).orElseThrow();
        assertThat(demand.measures()).containsExactly("matrices converted one at a time");
        // Two files of hidden states wait for a run that goes on.
        assertThat(demand.scratchBytes()).isEqualTo(2 * 800);
        assertThat(demand.optionalBytes()).isEqualTo(2 * 800);
        MemoryPlan disk = MemoryPlanner.within(model, whole - 700).orElseThrow();
        assertThat(disk.measures()).containsExactly("hidden states in a scratch file");
        assertThat(disk.scratchBytes()).isEqualTo(2 * 800);
        assertThat(disk.optionalBytes()).isZero();
        assertThat(disk.passes()).isEqualTo(2);
        MemoryPlan least = MemoryPlanner.least(model);
        assertThat(least.measures()).hasSize(3);
        assertThat(least.gramOnDisk()).isTrue();
        assertThat(least.scratchBytes()).isEqualTo(2 * 800 + 4 * (3 * 64 + 144));
        // Once with the dense and once with the pruned matrices.
        assertThat(least.passes()).isEqualTo(2);
        assertThat(MemoryPlanner.within(model, least.estimate().total()).orElseThrow().measures())
                .hasSize(3);
        assertThat(MemoryPlanner.within(model, least.estimate().total() - 1)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyPlanFitsAndMoreMemoryIsNeverSlower(String recipe) {
        MemoryModel model = model(recipe);
        long least = MemoryPlanner.least(model).estimate().total();
        int measures = Integer.MAX_VALUE;
        int passes = Integer.MAX_VALUE;
        for (long limit = least; limit < least + 8000; limit += 37) {
            MemoryPlan plan = MemoryPlanner.within(model, limit).orElseThrow();
            assertThat(plan.estimate().total()).isLessThanOrEqualTo(limit);
            assertThat(plan.passes()).isLessThanOrEqualTo(passes);
            passes = plan.passes();
            measures = plan.measures().size();
        }
        assertThat(measures).isLessThanOrEqualTo(MemoryPlanner.least(model).measures().size());
    }

    @Test
    void groupsAreFilledInForwardOrder() {
        List<Linear> block = block(0);
        Set<Statistic> gram = EnumSet.of(Statistic.GRAM);
        assertThat(kinds(BlockInputs.groups(block, gram, 0)))
                .containsExactly("q k v", "o", "gate up", "down");
        assertThat(kinds(BlockInputs.groups(block, gram, 511)))
                .containsExactly("q k v", "o", "gate up", "down");
        assertThat(kinds(BlockInputs.groups(block, gram, 512)))
                .containsExactly("q k v o", "gate up", "down");
        assertThat(kinds(BlockInputs.groups(block, gram, Long.MAX_VALUE))).hasSize(1);
        assertThat(kinds(BlockInputs.groups(block, Set.of(), 0)))
                .containsExactly("q k v o gate up down");
    }

    private static List<String> kinds(List<List<Linear>> groups) {
        return groups.stream()
                .map(group -> String.join(" ", group.stream().map(Linear::kind).toList()))
                .toList();
    }

    private static MemoryModel model(String recipe) {
        boolean reads = Method.of(RecipeBook.shipped().recipe(recipe)).readsData();
        return model(recipe, reads ? SEQUENCES : List.of());
    }

    private static MemoryModel model(String recipe, List<Integer> sequences) {
        DecoderConfig config = DecoderConfig.of((ObjectNode) JsonMapper.shared().readTree(CONFIG));
        Method method = Method.of(RecipeBook.shipped().recipe(recipe));
        return new MemoryModel(method, config, List.of(block(0), block(1)), sequences, 2);
    }

    private static List<Linear> block(int index) {
        List<Linear> linears = new ArrayList<>();
        for (String shape : "q 8 8,k 4 8,v 4 8,o 8 8,gate 12 8,up 12 8,down 8 12".split(",")) {
            String[] parts = shape.split(" ");
            linears.add(
                    new Linear(
                            index + "." + parts[0],
                            index,
                            parts[0],
                            Long.parseLong(parts[1]),
                            Long.parseLong(parts[2]),
                            false,
                            BiasSlot.SWITCHABLE));
        }
        return linears;
    }
}
