package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** OPT: positions from row 2 on, norms before or after, projections around a narrow embedding. */
final class ReferenceOpt extends Reference {
    private final boolean before;

    ReferenceOpt(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        before = config.path("do_layer_norm_before").asBoolean(true);
    }

    @Override
    double[][] logits(long[] ids) {
        int hidden = number("hidden_size");
        int narrow = number("word_embed_proj_dim");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] word = row("model.decoder.embed_tokens.weight", ids[t], narrow);
            if (narrow != hidden) {
                word = linear("model.decoder.project_in", word);
            }
            x[t] = plus(word, row("model.decoder.embed_positions.weight", t + 2, hidden));
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, "model.decoder.layers." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] last = before ? norm("model.decoder.final_layer_norm", x[t]) : x[t];
            if (narrow != hidden) {
                last = linear("model.decoder.project_out", last);
            }
            logits[t] =
                    linear(
                            config.path("tie_word_embeddings").asBoolean(true)
                                    ? "model.decoder.embed_tokens"
                                    : "lm_head",
                            last);
        }
        return logits;
    }

    private double[] norm(String module, double[] x) {
        return layerNorm(module, x, 1e-5);
    }

    private double[][] block(double[][] x, String name) {
        int heads = number("num_attention_heads");
        int width = number("hidden_size") / heads;
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[heads][n][];
        double[][][] v = new double[heads][n][];
        for (int t = 0; t < n; t++) {
            double[] read = before ? norm(name + "self_attn_layer_norm", x[t]) : x[t];
            for (int h = 0; h < heads; h++) {
                q[h][t] = part(linear(name + "self_attn.q_proj", read), h * width, width);
                k[h][t] = part(linear(name + "self_attn.k_proj", read), h * width, width);
                v[h][t] = part(linear(name + "self_attn.v_proj", read), h * width, width);
            }
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * width];
            for (int h = 0; h < heads; h++) {
                double[] one =
                        attend(q[h][t], k[h], v[h], t, 0, (dot, far) -> dot / Math.sqrt(width));
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], linear(name + "self_attn.out_proj", mixed));
            y = before ? y : norm(name + "self_attn_layer_norm", y);
            double[] inner = linear(name + "fc1", before ? norm(name + "final_layer_norm", y) : y);
            for (int i = 0; i < inner.length; i++) {
                inner[i] = Math.max(0, inner[i]);
            }
            double[] z = plus(y, linear(name + "fc2", inner));
            out[t] = before ? z : norm(name + "final_layer_norm", z);
        }
        return out;
    }
}
