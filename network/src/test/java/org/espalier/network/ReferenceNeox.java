package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** GPT-NeoX: attention and MLP in parallel or in sequence, fused matrix head by head, partial rotation. */
final class ReferenceNeox extends Reference {
    ReferenceNeox(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
    }

    @Override
    double[][] logits(long[] ids) {
        int hidden = number("hidden_size");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("gpt_neox.embed_in.weight", ids[t], hidden);
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, "gpt_neox.layers." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear("embed_out", layerNorm("gpt_neox.final_layer_norm", x[t], 1e-5));
        }
        return logits;
    }

    private double[][] block(double[][] x, String name) {
        int heads = number("num_attention_heads");
        int width = number("hidden_size") / heads;
        double theta = config.path("rotary_emb_base").asDouble(10000);
        double[] frequencies =
                frequencies(theta, (int) (width * config.path("rotary_pct").asDouble(0.25)));
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[heads][n][];
        double[][][] v = new double[heads][n][];
        for (int t = 0; t < n; t++) {
            double[] all =
                    linear(
                            name + "attention.query_key_value",
                            layerNorm(name + "input_layernorm", x[t], 1e-5));
            for (int h = 0; h < heads; h++) {
                q[h][t] = part(all, 3 * h * width, width);
                k[h][t] = part(all, (3 * h + 1) * width, width);
                v[h][t] = part(all, (3 * h + 2) * width, width);
                rotate(q[h][t], t, frequencies, 1);
                rotate(k[h][t], t, frequencies, 1);
            }
        }
        boolean parallel = config.path("use_parallel_residual").asBoolean(true);
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * width];
            for (int h = 0; h < heads; h++) {
                double[] one =
                        attend(q[h][t], k[h], v[h], t, 0, (dot, far) -> dot / Math.sqrt(width));
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], linear(name + "attention.dense", mixed));
            double[] read = parallel ? x[t] : y;
            double[] inner =
                    linear(
                            name + "mlp.dense_h_to_4h",
                            layerNorm(name + "post_attention_layernorm", read, 1e-5));
            for (int i = 0; i < inner.length; i++) {
                inner[i] = gelu(inner[i]);
            }
            out[t] = plus(y, linear(name + "mlp.dense_4h_to_h", inner));
        }
        return out;
    }
}
