package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Phi-3: fused matrices, partial rotation, LongRoPE. */
final class ReferencePhi3 extends Reference {
    private final double epsilon = 1e-5;

    ReferencePhi3(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
    }

    @Override
    double[][] logits(long[] ids) {
        int hidden = number("hidden_size");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], hidden);
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, "model.layers." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear("lm_head", rmsNorm("model.norm", x[t], epsilon, 0));
        }
        return logits;
    }

    private double[][] block(double[][] x, String name) {
        int heads = number("num_attention_heads");
        int kvHeads = number("num_key_value_heads");
        int width = number("hidden_size") / heads;
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[kvHeads][n][];
        double[][][] v = new double[kvHeads][n][];
        for (int t = 0; t < n; t++) {
            double[] normed = rmsNorm(name + "input_layernorm", x[t], epsilon, 0);
            double[] all = linear(name + "self_attn.qkv_proj", normed);
            for (int h = 0; h < heads; h++) {
                q[h][t] = turned(part(all, h * width, width), t, n);
            }
            for (int h = 0; h < kvHeads; h++) {
                k[h][t] = turned(part(all, (heads + h) * width, width), t, n);
                v[h][t] = part(all, (heads + kvHeads + h) * width, width);
            }
        }
        int window = config.path("sliding_window").asInt(1 << 20);
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
                                t - window + 1,
                                (dot, distance) -> dot / Math.sqrt(width));
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], linear(name + "self_attn.o_proj", mixed));
            double[] normed = rmsNorm(name + "post_attention_layernorm", y, epsilon, 0);
            double[] both = linear(name + "mlp.gate_up_proj", normed);
            double[] inner = new double[both.length / 2];
            for (int i = 0; i < inner.length; i++) {
                inner[i] = silu(both[i]) * both[inner.length + i];
            }
            out[t] = plus(y, linear(name + "mlp.down_proj", inner));
        }
        return out;
    }

    private double[] turned(double[] head, int position, int length) {
        int width = (int) (head.length * config.path("partial_rotary_factor").asDouble(1));
        double[] frequencies = frequencies(config.path("rope_theta").asDouble(10000), width);
        JsonNode scaling = config.path("rope_scaling");
        double magnitude = 1;
        if (scaling.has("long_factor")) {
            double old = number("original_max_position_embeddings");
            String factors = length > old ? "long_factor" : "short_factor";
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= scaling.get(factors).get(i).asDouble();
            }
            double stretch =
                    scaling.path("factor").asDouble(number("max_position_embeddings") / old);
            magnitude = Math.sqrt(1 + Math.log(stretch) / Math.log(old));
        }
        rotate(head, position, frequencies, magnitude);
        return head;
    }
}
