package org.espalier.network;

import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Llama, Mistral, Qwen2 and Qwen3: RMS norms, rotation by either dialect of its settings, gated MLPs. */
final class ReferenceLlama extends Reference {
    private final String type;
    private final double epsilon;
    private final int heads;
    private final int kvHeads;
    private final int width;

    ReferenceLlama(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        type = config.get("model_type").stringValue();
        epsilon = config.path("rms_norm_eps").asDouble(1e-6);
        heads = number("num_attention_heads");
        kvHeads = config.path("num_key_value_heads").asInt(heads);
        width = config.path("head_dim").asInt(number("hidden_size") / heads);
    }

    @Override
    double[][] logits(long[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], number("hidden_size"));
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, b, "model.layers." + b + ".");
        }
        boolean tied = config.path("tie_word_embeddings").asBoolean(false);
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] normed = norm("model.norm", x[t]);
            logits[t] = linear(tied ? "model.embed_tokens" : "lm_head", normed);
        }
        return logits;
    }

    private double[] norm(String module, double[] x) {
        return rmsNorm(module, x, epsilon, 0);
    }

    private double[][] block(double[][] x, int b, String name) {
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[kvHeads][n][];
        double[][][] v = new double[kvHeads][n][];
        for (int t = 0; t < n; t++) {
            double[] normed = norm(name + "input_layernorm", x[t]);
            double[] queries = linear(name + "self_attn.q_proj", normed);
            double[] keys = linear(name + "self_attn.k_proj", normed);
            double[] values = linear(name + "self_attn.v_proj", normed);
            for (int h = 0; h < heads; h++) {
                q[h][t] = head(name + "self_attn.q_norm", part(queries, h * width, width), t);
            }
            for (int h = 0; h < kvHeads; h++) {
                k[h][t] = head(name + "self_attn.k_norm", part(keys, h * width, width), t);
                v[h][t] = part(values, h * width, width);
            }
        }
        int window = window(b);
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
            double[] normed = norm(name + "post_attention_layernorm", y);
            double[] gate = linear(name + "mlp.gate_proj", normed);
            double[] up = linear(name + "mlp.up_proj", normed);
            for (int i = 0; i < up.length; i++) {
                up[i] *= activation(gate[i]);
            }
            out[t] = plus(y, linear(name + "mlp.down_proj", up));
        }
        return out;
    }

    private int window(int b) {
        JsonNode window = config.get("sliding_window");
        if (window == null || window.isNull()) {
            return Integer.MAX_VALUE / 2;
        }
        boolean slides = type.equals("mistral");
        if (config.path("use_sliding_window").asBoolean(false)) {
            slides =
                    config.has("layer_types")
                            ? config.get("layer_types").get(b).asString().startsWith("sliding")
                            : b >= config.path("max_window_layers").asInt(28);
        }
        return slides ? window.intValue() : Integer.MAX_VALUE / 2;
    }

    private double[] head(String norm, double[] plain, int position) {
        double[] head = type.equals("qwen3") ? norm(norm, plain) : plain;
        JsonNode parameters =
                config.has("rope_parameters")
                        ? config.get("rope_parameters")
                        : config.path("rope_scaling");
        double theta =
                parameters.has("rope_theta")
                        ? parameters.get("rope_theta").asDouble()
                        : config.path("rope_theta").asDouble(10000);
        String kind =
                parameters.path("rope_type").asString(parameters.path("type").asString("default"));
        double[] frequencies = frequencies(theta, width);
        double magnitude = 1;
        for (int i = 0; i < frequencies.length; i++) {
            switch (kind) {
                case "default" -> {}
                case "linear" -> frequencies[i] /= parameters.get("factor").asDouble();
                case "llama3" -> frequencies[i] = llama3(parameters, frequencies[i]);
                case "yarn" -> {
                    frequencies[i] = yarn(parameters, theta, width, i);
                    magnitude = 0.1 * Math.log(parameters.get("factor").asDouble()) + 1;
                }
                default -> throw new IllegalArgumentException(kind);
            }
        }
        rotate(head, position, frequencies, magnitude);
        return head;
    }

    private static double llama3(JsonNode parameters, double frequency) {
        double factor = parameters.get("factor").asDouble();
        double low = parameters.get("low_freq_factor").asDouble();
        double high = parameters.get("high_freq_factor").asDouble();
        double old = parameters.get("original_max_position_embeddings").asDouble();
        double length = 2 * Math.PI / frequency;
        if (length < old / high) {
            return frequency;
        }
        if (length > old / low) {
            return frequency / factor;
        }
        double smooth = (old / length - low) / (high - low);
        return (1 - smooth) * frequency / factor + smooth * frequency;
    }

    private double activation(double x) {
        String name = config.path("hidden_act").asString("silu");
        return switch (name) {
            case "silu" -> silu(x);
            case "relu" -> Math.max(x, 0);
            case "gelu" -> gelu(x);
            default -> throw new IllegalArgumentException(name);
        };
    }
}
