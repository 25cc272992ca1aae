package org.espalier.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.core.recipe.Recipe;
import org.espalier.prune.LayerOutcome;
import org.junit.jupiter.api.Test;

/**
 * ALPS layer by layer on the shipped model, 70 % of each matrix, inputs of the dense model, against an independent float64
 * implementation of algorithms 1 and 2 from the card (NumPy, an eigendecomposition as in the official code; not part of
 * this project). The perplexity of a whole run says less: on stories260k it moves by up to 6 % when the Gram matrix moves by
 * 1e-6.
 */
class PublishedAlpsTest {
    /**
     * Relative squared output error of a layer: with the support that the method of multipliers finds, with the support of
     * the largest scaled weights that it begins with, both refitted by ten steps of conjugate gradients from where they were found.
     */
    private record Golden(String layer, double error, double start) {}

    private static final List<Golden> GOLDEN =
            List.of(
                    new Golden("layers.0.self_attn.q_proj", 0.012096, 0.024412),
                    new Golden("layers.0.self_attn.v_proj", 0.053458, 0.103898),
                    new Golden("layers.1.self_attn.k_proj", 0.008877, 0.02835),
                    new Golden("layers.1.mlp.down_proj", 0.013803, 0.025354),
                    new Golden("layers.2.self_attn.o_proj", 0.003815, 0.018366),
                    new Golden("layers.2.mlp.down_proj", 0.016975, 0.027017),
                    new Golden("layers.3.self_attn.v_proj", 0.029323, 0.06493),
                    new Golden("layers.3.mlp.down_proj", 0.052536, 0.076378),
                    new Golden("layers.4.self_attn.o_proj", 0.008202, 0.032338));

    @Test
    void everyLayerIsAsGoodAsWithThePublishedAlgorithm() throws IOException {
        Recipe recipe = PublishedProtocol.recipe("alps", "0.7").withInputs(Recipe.Inputs.DENSE);
        Map<String, Double> errors = new HashMap<>();
        for (LayerOutcome layer : PublishedProtocol.hedgerow().run(recipe).outcome().layers()) {
            errors.put(layer.linear().name(), layer.error());
        }
        for (Golden golden : GOLDEN) {
            assertThat(errors.get("model." + golden.layer))
                    .as(golden.layer)
                    .isCloseTo(golden.error, within(0.005 * golden.error))
                    .isLessThan(0.75 * golden.start);
        }
    }
}
