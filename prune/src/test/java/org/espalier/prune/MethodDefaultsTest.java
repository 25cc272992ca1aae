package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.espalier.core.recipe.Parameters;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Problems;
import org.espalier.prune.allocate.Dlp;
import org.espalier.prune.allocate.Global;
import org.espalier.prune.allocate.Owl;
import org.espalier.prune.repair.Dsnot;
import org.espalier.prune.repair.MeanToBias;
import org.espalier.prune.score.Ria;
import org.junit.jupiter.api.Test;

/** The defaults are those of the cards, every setting can be set, and what is out of range is reported by its key. */
class MethodDefaultsTest {
    private final Problems problems = new Problems("recipe");

    @Test
    void defaultsAreThoseOfTheCards() {
        assertThat(Ria.from(none())).isEqualTo(new Ria(0.5));
        assertThat(Owl.from(none())).isEqualTo(new Owl(0.08, 5));
        assertThat(Dlp.from(none())).isEqualTo(new Dlp(0.15, Dlp.Reduce.MEDIAN));
        assertThat(Global.from(none())).isEqualTo(new Global(0.01));
        assertThat(Dsnot.from(none()))
                .isEqualTo(
                        new Dsnot(
                                new Dsnot.Cycles.Count(50), 0.1, 1, false, Dsnot.Layers.ATTENTION));
        assertThat(problems.isEmpty()).isTrue();
    }

    @Test
    void everySettingCanBeSet() {
        assertThat(Ria.from(of("power", 1))).isEqualTo(new Ria(1));
        assertThat(Owl.from(of("lambda", 0.2, "outlier", 7))).isEqualTo(new Owl(0.2, 7));
        assertThat(Dlp.from(of("alpha", 0, "reduce", "mean")))
                .isEqualTo(new Dlp(0, Dlp.Reduce.MEAN));
        assertThat(Global.from(of("minimum", 0))).isEqualTo(new Global(0));
        assertThat(
                        Dsnot.from(
                                of(
                                        "cycles",
                                        7,
                                        "threshold",
                                        Double.POSITIVE_INFINITY,
                                        "power",
                                        0.5,
                                        "same-sign",
                                        true,
                                        "layers",
                                        "all")))
                .isEqualTo(
                        new Dsnot(
                                new Dsnot.Cycles.Count(7),
                                Double.POSITIVE_INFINITY,
                                0.5,
                                true,
                                Dsnot.Layers.ALL));
        assertThat(Dsnot.from(of("cycles-fraction", 0.02)).cycles())
                .isEqualTo(new Dsnot.Cycles.Fraction(0.02));
        assertThat(MeanToBias.from(of("layers", "residual")).appliesTo("down")).isTrue();
        assertThat(MeanToBias.from(of("layers", "residual")).appliesTo("q")).isFalse();
        assertThat(MeanToBias.from(none()).appliesTo("q")).isTrue();
        assertThat(problems.isEmpty()).isTrue();
    }

    @Test
    void cyclesAreGivenAsANumberOrAsAShareAndNotAsBoth() {
        Dsnot.from(of("cycles", 5, "cycles-fraction", 0.1));
        assertThat(problems.faults()).singleElement().asString().contains("give one of the two");
    }

    @Test
    void whatIsOutOfRangeIsReportedAndTheDefaultStandsIn() {
        assertThat(Owl.from(of("lambda", 0.7))).isEqualTo(new Owl(0.08, 5));
        assertThat(Dsnot.from(of("cycles", -1)).cycles()).isEqualTo(new Dsnot.Cycles.Count(50));
        assertThat(Dlp.from(of("reduce", "mode")).reduce()).isEqualTo(Dlp.Reduce.MEDIAN);
        assertThat(problems.faults()).hasSize(3);
        assertThat(problems.faults().getFirst()).contains("part.lambda").contains("0.7");
    }

    private Parameters none() {
        return new Parameters(Part.of("method", "part"), problems);
    }

    private Parameters of(Object... keysAndValues) {
        Map<String, Object> map = new java.util.HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return new Parameters(new Part("method", map, "part"), problems);
    }
}
