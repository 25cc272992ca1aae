package org.espalier.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import org.espalier.core.recipe.Recipe;
import org.espalier.prune.LayerOutcome;
import org.espalier.prune.PruneOutcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whole runs on real models against figures from an independent implementation of the published algorithms: float64,
 * NumPy, forward pass included, written from the method cards; not part of this project. The shipped model is always
 * there, stories260k where the data folder is ({@link PublishedProtocol}).
 */
class PublishedResultsTest {
    @ParameterizedTest
    @CsvSource({
        "magnitude, 0.5, 40.78494514723008",
        "magnitude-row, 0.5, 37.762716304846286",
        "magnitude, 2:4, 125.66896332205727",
        "magnitude-global, 0.5, 69.17131888141371",
        "wanda, 0.5, 18.701528389898833",
        "wanda, 2:4, 70.69771813435388",
        "ria, 0.5, 25.3394540909697",
        "ria, 2:4, 76.753588377197",
        "sparsegpt, 0.5, 19.660628106795585",
        "sparsegpt, 2:4, 37.449778600426804",
        "dsnot, 0.5, 59.21203796516527",
        "wanda-least-squares, 0.5, 12.96605946976189",
        "owl-wanda, 0.5, 18.292920225813294",
        "dlp-wanda, 0.7, 102.07149531611715"
    })
    void storiesIsAsGoodAsWithThePublishedAlgorithm(String recipe, String amount, double perplexity)
            throws IOException {
        check(PublishedProtocol.stories(), PublishedProtocol.recipe(recipe, amount), perplexity);
    }

    @ParameterizedTest
    @CsvSource({
        "magnitude, 0.7, 3.0286429522842258",
        "magnitude-row, 0.7, 2.8610184939273133",
        "magnitude, 2:4, 1.8001735968141745",
        "magnitude-global, 0.7, 3.073378291751098",
        "wanda, 0.7, 2.8106627191186977",
        "wanda, 2:4, 1.7534652113783131",
        "ria, 0.7, 2.4296878726743345",
        "ria, 2:4, 1.7396712629529336",
        "sparsegpt, 0.7, 2.490077193950196",
        "sparsegpt, 2:4, 1.7599226965165728",
        "dsnot, 0.7, 5.332434742866234",
        "wanda-least-squares, 0.7, 2.48350725814905",
        "owl-wanda, 0.7, 2.8492809237225356",
        "dlp-wanda, 0.7, 8.969796051811826"
    })
    void hedgerowIsAsGoodAsWithThePublishedAlgorithm(
            String recipe, String amount, double perplexity) throws IOException {
        check(PublishedProtocol.hedgerow(), PublishedProtocol.recipe(recipe, amount), perplexity);
    }

    @Test
    void theDenseModelReadsAsInTheIndependentForwardPass() throws IOException {
        Recipe nothing = PublishedProtocol.recipe("magnitude", "0");
        double dense = PublishedProtocol.hedgerow().run(nothing).perplexity();
        assertThat(dense).isCloseTo(1.6078742092865037, within(2e-6));
    }

    private static void check(PublishedProtocol protocol, Recipe recipe, double perplexity)
            throws IOException {
        PublishedProtocol.Result result = protocol.run(recipe);
        double sparsity = recipe.select().sparsity();
        if (recipe.allocate().method().equals("uniform")) {
            assertThat(result.outcome().layers())
                    .allSatisfy(layer ->
                            assertThat(layer.sparsity())
                                    .isEqualTo(sparsity, within(1.0 / layer.linear().columns())));
        }
        assertThat(removed(result.outcome())).isEqualTo(sparsity, within(0.02));
        assertThat(result.outcome().layers())
                .extracting(LayerOutcome::error)
                .allMatch(error -> error > 0 && error < 1);
        assertThat(result.perplexity()).isCloseTo(perplexity, within(0.003 * perplexity));
    }

    private static double removed(PruneOutcome outcome) {
        List<LayerOutcome> layers = outcome.layers();
        double all = layers.stream().mapToDouble(layer -> layer.linear().size()).sum();
        return layers.stream().mapToDouble(LayerOutcome::removed).sum() / all;
    }
}
