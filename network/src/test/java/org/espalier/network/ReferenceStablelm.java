package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** StableLM, which no descriptor of the project knows: LayerNorms, a part of each head rotated, a gated MLP. */
final class ReferenceStablelm extends Reference {
    private final int heads;
    private final int kvHeads;
    private final int width;

    ReferenceStablelm(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        heads = number("num_attention_heads");
        kvHeads = number("num_key_value_heads");
        width = number("hidden_size") / heads;
    }

    @Override
    double[][] logits(long[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], number("hidden_size"));
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, "model.layers." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear("lm_head", layerNorm("model.norm", x[t], 1e-5));
        }
        return logits;
    }

    private double[][] block(double[][] x, String name) {
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[kvHeads][n][];
        double[][][] v = new double[kvHeads][n][];
        double[] frequencies = frequencies(10000, width / 4);
        for (int t = 0; t < n; t++) {
            double[] normed = layerNorm(name + "input_layernorm", x[t], 1e-5);
            double[] queries = linear(name + "self_attn.q_proj", normed);
            double[] keys = linear(name + "self_attn.k_proj", normed);
            double[] values = linear(name + "self_attn.v_proj", normed);
            for (int h = 0; h < heads; h++) {
                q[h][t] = part(queries, h * width, width);
                rotate(q[h][t], t, frequencies, 1);
            }
            for (int h = 0; h < kvHeads; h++) {
                k[h][t] = part(keys, h * width, width);
                rotate(k[h][t], t, frequencies, 1);
                v[h][t] = part(values, h * width, width);
            }
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * width];
            for (int h = 0; h < heads; h++) {
                int kv = h * kvHeads / heads;
                double[] one =
                        attend(
                                q[h][t],
                                k[kv],
                                v[kv],
                                t,
                                0,
                                (dot, distance) -> dot / Math.sqrt(width));
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], linear(name + "self_attn.o_proj", mixed));
            double[] normed = layerNorm(name + "post_attention_layernorm", y, 1e-5);
            double[] gate = linear(name + "mlp.gate_proj", normed);
            double[] up = linear(name + "mlp.up_proj", normed);
            for (int i = 0; i < up.length; i++) {
                up[i] *= silu(gate[i]);
            }
            out[t] = plus(y, linear(name + "mlp.down_proj", up));
        }
        return out;
    }
}
