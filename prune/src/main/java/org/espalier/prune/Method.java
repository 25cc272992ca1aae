package org.espalier.prune;

import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Problems;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.Selection;
import org.espalier.core.tensor.Tensors;
import org.espalier.prune.allocate.Allocation;
import org.espalier.prune.calibrate.LayerStatistics;
import org.espalier.prune.calibrate.Statistic;
import org.espalier.prune.layer.LayerProblem;
import org.espalier.prune.layer.LayerSolution;
import org.espalier.prune.layer.NumericFailure;
import org.espalier.prune.repair.Repair;
import org.espalier.prune.score.Magnitude;
import org.espalier.prune.score.Score;
import org.espalier.prune.score.Wanda;
import org.espalier.prune.select.ComparisonGroups;
import org.espalier.prune.select.Mask;
import org.espalier.prune.select.Selector;
import org.espalier.prune.solve.LayerSolver;
import org.espalier.prune.solve.MaskSolver;
import org.jspecify.annotations.Nullable;

/**
 * A recipe whose parts have been looked up: the names are objects now, and every combination that makes no sense has been
 * refused. Solves single layers; the {@link Pruner} walks it through a network.
 *
 * @param recipe what it was made of
 * @param score chooses the support, or null where the solver chooses by itself
 * @param allocation spreads the budget over the layers
 * @param allocationScore the score that the allocation reads: the recipe's own, or Wanda where there is none
 * @param solver solves a layer
 * @param repair follows the solver
 */
public record Method(
        Recipe recipe,
        @Nullable Score score,
        Allocation allocation,
        Score allocationScore,
        LayerSolver solver,
        Repair repair) {

    /**
     * Looks up the parts of a recipe.
     *
     * @throws org.espalier.core.UserError that names every unknown method, every bad parameter and every combination that
     *     makes no sense, with the reason
     */
    public static Method of(Recipe recipe) {
        Problems problems = new Problems("recipe " + recipe.name());
        Method method = of(recipe, problems);
        problems.throwIfAny();
        return method;
    }

    /**
     * Looks up the parts of a recipe and goes on after faults, with plain parts in their place.
     *
     * @param problems receives every unknown method, every bad parameter and every combination that makes no sense
     */
    static Method of(Recipe recipe, Problems problems) {
        Part scorePart = recipe.score();
        Score score = scorePart == null ? null : Methods.score(scorePart, problems);
        Part allocatePart = recipe.allocate();
        Pattern pattern = recipe.select().pattern();
        if (isGlobal(pattern)) {
            if (allocatePart.method().equals("uniform")) {
                allocatePart = Part.of("global", "allocate");
            } else if (!allocatePart.method().equals("global")) {
                problems.add(
                        "select.group",
                        "global compares all layers with each other, so the allocation '"
                                + allocatePart.method()
                                + "' would have nothing to decide; use group: layer or allocate: global");
            }
        }
        Allocation allocation = Methods.allocation(allocatePart, problems);
        checkMixed(recipe.select(), allocatePart.method(), allocation, problems);
        LayerSolver solver = Methods.solver(recipe.solver(), problems);
        Repair repair = Methods.repair(recipe.repair(), problems);
        if (score == null && scorePart == null) {
            solver.refusal(pattern).ifPresent(reason -> problems.add("solver", reason));
        }
        repair.refusal(pattern).ifPresent(reason -> problems.add("repair", reason));
        return new Method(
                recipe, score, allocation, score == null ? new Wanda() : score, solver, repair);
    }

    /** The statistics that solving a layer reads. */
    public Set<Statistic> needs() {
        Set<Statistic> needs = EnumSet.noneOf(Statistic.class);
        if (score != null) {
            needs.addAll(score.needs());
        }
        needs.addAll(solver.needs());
        needs.addAll(repair.needs());
        return needs;
    }

    /** All statistics that the method reads, in solving layers and in spreading the budget. */
    public Set<Statistic> statistics() {
        Set<Statistic> statistics = needs();
        if (allocation.readsScores()) {
            statistics.addAll(allocationScore.needs());
        }
        return statistics;
    }

    /** Whether the method reads calibration text at all. */
    public boolean readsData() {
        return !needs().isEmpty() || allocationReadsData();
    }

    /** Whether spreading the budget takes a calibration pass of its own over the dense model. */
    public boolean allocationReadsData() {
        return allocation.readsScores() && !allocationScore.needs().isEmpty();
    }

    /**
     * Prunes one layer: the support by score and selection where the recipe has a score, then the solver, then the
     * repair. A layer that no calibration token reached, such as an expert that the router never chose, is told apart from
     * one whose inputs were all zero: nothing is known about it, so its support is chosen by magnitude in the recipe's
     * pattern, and the weights that stay are left as they are, whatever the recipe's solver and repair.
     *
     * @param kind what the layer does in its block ({@code q}, {@code down}, ...)
     * @param weight float32 [out_features, in_features], contiguous, left untouched
     * @param bias float32 [out_features], or null
     * @param statistics at least what {@link #needs} names
     * @param sparsity fraction removed in every comparison group of the layer; where that comes to no weight at all, the
     *     weights are returned as they are
     * @throws NumericFailure if weights or inputs are so large that scores or updates do not fit float32
     */
    public LayerSolution solve(
            String kind,
            Tensor weight,
            @Nullable Tensor bias,
            LayerStatistics statistics,
            double sparsity) {
        Pattern pattern = recipe.select().pattern();
        if (!needs().isEmpty() && statistics.tokens() == 0) {
            Mask largest = support(new Magnitude(), weight, statistics, sparsity);
            return new MaskSolver()
                    .solve(new LayerProblem(weight, bias, statistics, pattern, sparsity, largest));
        }
        if (ComparisonGroups.of(pattern, weight.size(0), weight.size(1)).removed(sparsity) == 0) {
            return untouched(weight, bias);
        }
        Mask support = score == null ? null : support(score, weight, statistics, sparsity);
        LayerProblem problem =
                new LayerProblem(weight, bias, statistics, pattern, sparsity, support);
        boolean repaired = repair.appliesTo(kind);
        if (!needs().contains(Statistic.GRAM)) {
            LayerSolution solution = solver.solve(problem);
            return repaired ? repair.repair(problem, solution) : solution;
        }
        Rescaled rescaled = Rescaled.of(problem);
        LayerSolution solution = solver.solve(rescaled.problem());
        LayerSolution done =
                rescaled.restored(
                        repaired ? repair.repair(rescaled.problem(), solution) : solution);
        if (!Tensors.isFinite(done.weight())) {
            throw new NumericFailure("the updated weights are beyond float32");
        }
        return done;
    }

    /** The dense layer to the bit, for where nothing goes nothing needs an update. */
    private static LayerSolution untouched(Tensor weight, @Nullable Tensor bias) {
        Tensor everything = torch.ones(Tensors.shape(weight), Tensors.options(ScalarType.Bool));
        return new LayerSolution(weight.clone(), bias, new Mask(everything));
    }

    /** The scores are as large as the weight and gone when this returns. */
    private Mask support(Score chosen, Tensor weight, LayerStatistics statistics, double sparsity) {
        return new Mask(
                Tensors.scoped(() -> {
                    Tensor scores = chosen.score(weight, statistics);
                    if (!Tensors.isFinite(scores)) {
                        throw new NumericFailure(Finite.SCORES_BEYOND_FLOAT32);
                    }
                    return Selector.select(scores, recipe.select().pattern(), sparsity).keep();
                }));
    }

    /** An N of its own for each matrix is what no N:M kernel runs: it must be asked for. */
    private static void checkMixed(
            Selection select, String name, Allocation allocation, Problems problems) {
        if (!(select.pattern() instanceof Pattern.NofM nOfM)) {
            return;
        }
        if (allocation.readsScores() && !select.mixed()) {
            problems.add(
                    "select.mixed",
                    "the allocation '"
                            + name
                            + "' gives each matrix an N of its own, which no kernel for "
                            + nOfM
                            + " runs; say mixed: true (or --mixed) to have that, or allocate: uniform");
        } else if (!allocation.readsScores() && select.mixed()) {
            problems.add(
                    "select.mixed",
                    "the allocation '" + name + "' gives every matrix the same N; leave mixed out");
        }
    }

    private static boolean isGlobal(Pattern pattern) {
        return switch (pattern) {
            case Pattern.Unstructured unstructured -> unstructured.group() instanceof Group.Global;
            case Pattern.Tiles tiles -> tiles.group() instanceof Group.Global;
            case Pattern.NofM _ -> false;
        };
    }
}
