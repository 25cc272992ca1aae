package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** BLOOM: ALiBi, norm of the embedding, fused matrix head by head. */
final class ReferenceBloom extends Reference {
    private final String prefix;

    ReferenceBloom(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        prefix = has("word_embeddings.weight") ? "" : "transformer.";
    }

    @Override
    double[][] logits(long[] ids) {
        int hidden = config.has("n_embed") ? number("n_embed") : number("hidden_size");
        int blocks = number("n_layer");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] =
                    layerNorm(
                            prefix + "word_embeddings_layernorm",
                            row(prefix + "word_embeddings.weight", ids[t], hidden),
                            1e-5);
        }
        for (int b = 0; b < blocks; b++) {
            x = block(x, prefix + "h." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear(prefix + "word_embeddings", layerNorm(prefix + "ln_f", x[t], 1e-5));
        }
        return logits;
    }

    /** The slopes as the paper lists them, for the head counts of the tests. */
    private static double slope(int heads, int head) {
        double[] slopes =
                switch (heads) {
                    case 2 -> new double[] {1.0 / 16, 1.0 / 256};
                    case 3 -> new double[] {1.0 / 16, 1.0 / 256, 1.0 / 4};
                    case 4 -> new double[] {1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256};
                    case 7 ->
                            new double[] {
                                1.0 / 4, 1.0 / 16, 1.0 / 64, 1.0 / 256, 1.0 / 2, 1.0 / 8, 1.0 / 32
                            };
                    default -> throw new IllegalArgumentException("heads " + heads);
                };
        return slopes[head];
    }

    private double[][] block(double[][] x, String name) {
        int heads = config.has("n_head") ? number("n_head") : number("num_attention_heads");
        int width = x[0].length / heads;
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[heads][n][];
        double[][][] v = new double[heads][n][];
        for (int t = 0; t < n; t++) {
            double[] all =
                    linear(
                            name + "self_attention.query_key_value",
                            layerNorm(name + "input_layernorm", x[t], 1e-5));
            for (int h = 0; h < heads; h++) {
                q[h][t] = part(all, 3 * h * width, width);
                k[h][t] = part(all, (3 * h + 1) * width, width);
                v[h][t] = part(all, (3 * h + 2) * width, width);
            }
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * width];
            for (int h = 0; h < heads; h++) {
                double slope = slope(heads, h);
                double[] one =
                        attend(
                                q[h][t],
                                k[h],
                                v[h],
                                t,
                                0,
                                (dot, far) -> dot / Math.sqrt(width) - slope * far);
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], linear(name + "self_attention.dense", mixed));
            double[] inner =
                    linear(
                            name + "mlp.dense_h_to_4h",
                            layerNorm(name + "post_attention_layernorm", y, 1e-5));
            for (int i = 0; i < inner.length; i++) {
                inner[i] = geluTanh(inner[i]);
            }
            out[t] = plus(y, linear(name + "mlp.dense_4h_to_h", inner));
        }
        return out;
    }
}
