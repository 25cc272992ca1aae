package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LossPlotTest {
    @Test
    void drawsBothCurvesBetweenTheAxes() {
        String page =
                LossPlot.html(
                        "tiny",
                        List.of(
                                new LossCurve.Point(1, 10, 6.0, null, 1e-3, 0.1),
                                new LossCurve.Point(2, 20, 4.0, 5.0, 1e-3, 0.2),
                                new LossCurve.Point(3, 30, 2.0, null, 1e-3, 0.3),
                                new LossCurve.Point(4, 40, 2.5, 3.0, 1e-3, 0.4)));
        assertThat(page)
                .contains("class=\"loss\" points=\"214.0,8.0 380.0,168.0 546.0,328.0 712.0,288.0\"")
                .contains("class=\"held\" points=\"380.0,88.0 712.0,248.0\"")
                .doesNotContain("NaN");
    }

    @Test
    void aSinglePointIsDrawnToo() {
        String page =
                LossPlot.html("one", List.of(new LossCurve.Point(1, 10, 6.0, 6.0, 1e-3, 0.1)));
        assertThat(page).contains("<polyline class=\"loss\"").doesNotContain("NaN");
    }
}
