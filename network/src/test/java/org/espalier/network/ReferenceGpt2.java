package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/** GPT-2: learned positions, matrices stored as [in, out], q, k and v in one of them. */
final class ReferenceGpt2 extends Reference {
    private final String prefix;
    private final int hidden;
    private final int heads;

    ReferenceGpt2(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        prefix = has("wte.weight") ? "" : "transformer.";
        hidden = number("n_embd");
        heads = number("n_head");
    }

    @Override
    double[][] logits(long[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] embedded = row(prefix + "wte.weight", ids[t], hidden);
            x[t] = plus(embedded, row(prefix + "wpe.weight", t, hidden));
        }
        for (int b = 0; b < number("n_layer"); b++) {
            x = block(x, prefix + "h." + b + ".");
        }
        boolean tied = config.path("tie_word_embeddings").asBoolean(true);
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear(tied ? prefix + "wte" : "lm_head", norm(prefix + "ln_f", x[t]));
        }
        return logits;
    }

    private double[][] block(double[][] x, String name) {
        int n = x.length;
        int width = hidden / heads;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[heads][n][];
        double[][][] v = new double[heads][n][];
        for (int t = 0; t < n; t++) {
            double[] qkv = conv1d(name + "attn.c_attn", norm(name + "ln_1", x[t]));
            for (int h = 0; h < heads; h++) {
                q[h][t] = part(qkv, h * width, width);
                k[h][t] = part(qkv, hidden + h * width, width);
                v[h][t] = part(qkv, 2 * hidden + h * width, width);
            }
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[hidden];
            for (int h = 0; h < heads; h++) {
                double[] one =
                        attend(
                                q[h][t],
                                k[h],
                                v[h],
                                t,
                                0,
                                (dot, distance) -> dot / Math.sqrt(width));
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] y = plus(x[t], conv1d(name + "attn.c_proj", mixed));
            double[] inner = conv1d(name + "mlp.c_fc", norm(name + "ln_2", y));
            for (int i = 0; i < inner.length; i++) {
                inner[i] = activation(inner[i]);
            }
            out[t] = plus(y, conv1d(name + "mlp.c_proj", inner));
        }
        return out;
    }

    private double activation(double x) {
        String name = config.path("activation_function").asString("gelu_new");
        return switch (name) {
            case "gelu_new" -> geluTanh(x);
            case "relu" -> Math.max(x, 0);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private double[] norm(String module, double[] x) {
        return layerNorm(module, x, config.path("layer_norm_epsilon").asDouble(1e-5));
    }

    private double[] conv1d(String module, double[] x) {
        float[] weight = get(module + ".weight");
        float[] bias = get(module + ".bias");
        double[] out = new double[bias.length];
        for (int o = 0; o < out.length; o++) {
            out[o] = bias[o];
            for (int i = 0; i < x.length; i++) {
                out[o] += weight[i * out.length + o] * x[i];
            }
        }
        return out;
    }
}
