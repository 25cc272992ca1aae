package org.espalier.prune;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Problems;
import org.espalier.prune.allocate.Allocation;
import org.espalier.prune.allocate.Dlp;
import org.espalier.prune.allocate.Global;
import org.espalier.prune.allocate.Owl;
import org.espalier.prune.allocate.Uniform;
import org.espalier.prune.repair.Dsnot;
import org.espalier.prune.repair.LeastSquares;
import org.espalier.prune.repair.MeanToBias;
import org.espalier.prune.repair.NoRepair;
import org.espalier.prune.repair.Repair;
import org.espalier.prune.score.Magnitude;
import org.espalier.prune.score.Ria;
import org.espalier.prune.score.Score;
import org.espalier.prune.score.Wanda;
import org.espalier.prune.solve.Alps;
import org.espalier.prune.solve.LayerSolver;
import org.espalier.prune.solve.MaskSolver;
import org.espalier.prune.solve.SparseGpt;

/** Every method of every axis by the name that recipes use. A new method is one class and one line here. */
public final class Methods {
    private static final Map<String, Function<Parameters, Score>> SCORES =
            Map.of("magnitude", Magnitude::from, "wanda", Wanda::from, "ria", Ria::from);

    private static final Map<String, Function<Parameters, Allocation>> ALLOCATIONS =
            Map.of(
                    "uniform",
                    Uniform::from,
                    "global",
                    Global::from,
                    "owl",
                    Owl::from,
                    "dlp",
                    Dlp::from);

    private static final Map<String, Function<Parameters, LayerSolver>> SOLVERS =
            Map.of("mask", MaskSolver::from, "sparsegpt", SparseGpt::from, "alps", Alps::from);

    private static final Map<String, Function<Parameters, Repair>> REPAIRS =
            Map.of(
                    "none", NoRepair::from,
                    "dsnot", Dsnot::from,
                    "mean-to-bias", MeanToBias::from,
                    "least-squares", LeastSquares::from);

    private Methods() {}

    /** The names that each axis knows, for help texts. */
    public static Map<String, Iterable<String>> names() {
        Map<String, Iterable<String>> names = new TreeMap<>();
        names.put("score", new TreeMap<>(SCORES).keySet());
        names.put("allocate", new TreeMap<>(ALLOCATIONS).keySet());
        names.put("solver", new TreeMap<>(SOLVERS).keySet());
        names.put("repair", new TreeMap<>(REPAIRS).keySet());
        return names;
    }

    static Score score(Part part, Problems problems) {
        return lookUp(SCORES, part, Magnitude::from, problems);
    }

    static Allocation allocation(Part part, Problems problems) {
        return lookUp(ALLOCATIONS, part, Uniform::from, problems);
    }

    static LayerSolver solver(Part part, Problems problems) {
        return lookUp(SOLVERS, part, MaskSolver::from, problems);
    }

    static Repair repair(Part part, Problems problems) {
        return lookUp(REPAIRS, part, NoRepair::from, problems);
    }

    /** Looks a part up; for an unknown name the stand-in serves, so that checking can go on. */
    private static <T> T lookUp(
            Map<String, Function<Parameters, T>> axis,
            Part part,
            Function<Parameters, T> standIn,
            Problems problems) {
        Function<Parameters, T> maker = axis.get(part.method());
        if (maker == null) {
            problems.add(
                    part.path(),
                    "unknown method '"
                            + part.method()
                            + "'; known are "
                            + String.join(", ", new TreeMap<>(axis).keySet()));
            return standIn.apply(new Parameters(Part.of(part.method(), part.path()), problems));
        }
        Parameters parameters = new Parameters(part, problems);
        T method = maker.apply(parameters);
        parameters.finish();
        return method;
    }
}
