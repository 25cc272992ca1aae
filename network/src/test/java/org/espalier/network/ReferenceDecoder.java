package org.espalier.network;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The forward pass once more, in float64 loops over one token after the other, straight from the definition of each
 * family and sharing nothing with the fast one: no libtorch, no descriptors, its own reading of config.json.
 */
final class ReferenceDecoder {
    private final ObjectNode config;
    private final Map<String, float[]> tensors;
    private final boolean gpt2;
    private final String type;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final int blocks;

    ReferenceDecoder(ObjectNode config, Map<String, float[]> tensors) {
        this.config = config;
        this.tensors = tensors;
        type = config.get("model_type").stringValue();
        gpt2 = type.equals("gpt2");
        hidden = config.get(gpt2 ? "n_embd" : "hidden_size").intValue();
        heads = config.get(gpt2 ? "n_head" : "num_attention_heads").intValue();
        kvHeads = gpt2 ? heads : config.path("num_key_value_heads").asInt(heads);
        headDim = config.path("head_dim").asInt(hidden / heads);
        blocks = config.get(gpt2 ? "n_layer" : "num_hidden_layers").intValue();
    }

    /** Logits [tokens][vocabulary] of one sequence. */
    double[][] logits(long[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row(embedding(), (int) ids[t]);
            if (gpt2) {
                x[t] = plus(x[t], row(get(prefix() + "wpe.weight"), t));
            }
        }
        for (int b = 0; b < blocks; b++) {
            x = gpt2 ? gpt2Block(x, b) : llamaBlock(x, b);
        }
        float[] head = tied() ? embedding() : get("lm_head.weight");
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] normed =
                    gpt2
                            ? layerNorm(x[t], prefix() + "ln_f")
                            : rmsNorm(x[t], get("model.norm.weight"), 0, hidden);
            logits[t] = times(head, null, normed);
        }
        return logits;
    }

    /** Mean negative log-likelihood of tokens 2 to the last. */
    double loss(long[] ids) {
        double[][] logits = logits(ids);
        double sum = 0;
        for (int t = 0; t + 1 < ids.length; t++) {
            double total = 0;
            for (double logit : logits[t]) {
                total += Math.exp(logit);
            }
            sum += Math.log(total) - logits[t][(int) ids[t + 1]];
        }
        return sum / (ids.length - 1);
    }

    private double[][] llamaBlock(double[][] x, int b) {
        String name = "model.layers." + b + ".";
        int n = x.length;
        double[][] q = new double[n][];
        double[][] k = new double[n][];
        double[][] v = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] normed = rmsNorm(x[t], get(name + "input_layernorm.weight"), 0, hidden);
            q[t] = linear(name + "self_attn.q_proj", normed);
            k[t] = linear(name + "self_attn.k_proj", normed);
            v[t] = linear(name + "self_attn.v_proj", normed);
            if (type.equals("qwen3")) {
                q[t] = normHeads(q[t], get(name + "self_attn.q_norm.weight"));
                k[t] = normHeads(k[t], get(name + "self_attn.k_norm.weight"));
            }
            rotate(q[t], t);
            rotate(k[t], t);
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = attend(q[t], k, v, t, window(b));
            double[] y = plus(x[t], linear(name + "self_attn.o_proj", mixed));
            double[] normed = rmsNorm(y, get(name + "post_attention_layernorm.weight"), 0, hidden);
            double[] gate = linear(name + "mlp.gate_proj", normed);
            double[] up = linear(name + "mlp.up_proj", normed);
            for (int i = 0; i < up.length; i++) {
                up[i] *= activation(gate[i]);
            }
            out[t] = plus(y, linear(name + "mlp.down_proj", up));
        }
        return out;
    }

    private double[][] gpt2Block(double[][] x, int b) {
        String name = prefix() + "h." + b + ".";
        int n = x.length;
        double[][] q = new double[n][hidden];
        double[][] k = new double[n][hidden];
        double[][] v = new double[n][hidden];
        for (int t = 0; t < n; t++) {
            double[] qkv = conv1d(name + "attn.c_attn", layerNorm(x[t], name + "ln_1"));
            System.arraycopy(qkv, 0, q[t], 0, hidden);
            System.arraycopy(qkv, hidden, k[t], 0, hidden);
            System.arraycopy(qkv, 2 * hidden, v[t], 0, hidden);
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] y = plus(x[t], conv1d(name + "attn.c_proj", attend(q[t], k, v, t, n)));
            double[] inner = conv1d(name + "mlp.c_fc", layerNorm(y, name + "ln_2"));
            for (int i = 0; i < inner.length; i++) {
                inner[i] = activation(inner[i]);
            }
            out[t] = plus(y, conv1d(name + "mlp.c_proj", inner));
        }
        return out;
    }

    private double[] attend(double[] query, double[][] keys, double[][] values, int t, int window) {
        double[] mixed = new double[heads * headDim];
        for (int h = 0; h < heads; h++) {
            int shared = h / (heads / kvHeads);
            double[] weight = new double[t + 1];
            double total = 0;
            for (int s = Math.max(0, t - window + 1); s <= t; s++) {
                double dot = 0;
                for (int i = 0; i < headDim; i++) {
                    dot += query[h * headDim + i] * keys[s][shared * headDim + i];
                }
                weight[s] = Math.exp(dot / Math.sqrt(headDim));
                total += weight[s];
            }
            for (int s = 0; s <= t; s++) {
                for (int i = 0; i < headDim; i++) {
                    mixed[h * headDim + i] += weight[s] / total * values[s][shared * headDim + i];
                }
            }
        }
        return mixed;
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

    private void rotate(double[] wide, int position) {
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
        int half = headDim / 2;
        for (int start = 0; start < wide.length; start += headDim) {
            for (int i = 0; i < half; i++) {
                double frequency = 1 / Math.pow(theta, 2.0 * i / headDim);
                if (kind.equals("linear")) {
                    frequency /= parameters.get("factor").asDouble();
                } else if (kind.equals("llama3")) {
                    frequency = llama3(parameters, frequency);
                }
                double magnitude = 1;
                if (kind.equals("yarn")) {
                    frequency = Reference.yarn(parameters, theta, headDim, i);
                    magnitude = 0.1 * Math.log(parameters.get("factor").asDouble()) + 1;
                }
                double cos = magnitude * Math.cos(position * frequency);
                double sin = magnitude * Math.sin(position * frequency);
                double first = wide[start + i];
                double second = wide[start + half + i];
                wide[start + i] = first * cos - second * sin;
                wide[start + half + i] = second * cos + first * sin;
            }
        }
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
        String name =
                gpt2
                        ? config.path("activation_function").asString("gelu_new")
                        : config.path("hidden_act").asString("silu");
        return switch (name) {
            case "silu" -> x / (1 + Math.exp(-x));
            case "relu" -> Math.max(x, 0);
            case "gelu" -> x * normalDistribution(x);
            case "gelu_new" ->
                    x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Simpson's rule over the density: slow, and plainly right. */
    private static double normalDistribution(double x) {
        int steps = 2000;
        double width = x / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double at = i * width;
            double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.exp(-at * at / 2);
        }
        return 0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI);
    }

    private double[] normHeads(double[] wide, float[] weight) {
        double[] out = new double[wide.length];
        for (int start = 0; start < wide.length; start += headDim) {
            System.arraycopy(rmsNorm(wide, weight, start, headDim), 0, out, start, headDim);
        }
        return out;
    }

    private double[] rmsNorm(double[] x, float[] weight, int start, int width) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            squares += x[start + i] * x[start + i];
        }
        double scale = 1 / Math.sqrt(squares / width + config.path("rms_norm_eps").asDouble(1e-6));
        double[] out = new double[width];
        for (int i = 0; i < width; i++) {
            out[i] = x[start + i] * scale * weight[i];
        }
        return out;
    }

    private double[] layerNorm(double[] x, String name) {
        double mean = 0;
        for (double value : x) {
            mean += value / x.length;
        }
        double variance = 0;
        for (double value : x) {
            variance += (value - mean) * (value - mean) / x.length;
        }
        double scale = 1 / Math.sqrt(variance + config.path("layer_norm_epsilon").asDouble(1e-5));
        float[] weight = get(name + ".weight");
        float[] bias = get(name + ".bias");
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
        }
        return out;
    }

    private double[] linear(String name, double[] x) {
        return times(get(name + ".weight"), tensors.get(name + ".bias"), x);
    }

    private static double[] times(float[] weight, float @Nullable [] bias, double[] x) {
        double[] out = new double[weight.length / x.length];
        for (int o = 0; o < out.length; o++) {
            out[o] = bias == null ? 0 : bias[o];
            for (int i = 0; i < x.length; i++) {
                out[o] += weight[o * x.length + i] * x[i];
            }
        }
        return out;
    }

    private double[] conv1d(String name, double[] x) {
        float[] weight = get(name + ".weight");
        float[] bias = get(name + ".bias");
        double[] out = new double[bias.length];
        for (int o = 0; o < out.length; o++) {
            out[o] = bias[o];
            for (int i = 0; i < x.length; i++) {
                out[o] += weight[i * out.length + o] * x[i];
            }
        }
        return out;
    }

    private String prefix() {
        return tensors.containsKey("wte.weight") ? "" : "transformer.";
    }

    private float[] embedding() {
        return get(gpt2 ? prefix() + "wte.weight" : "model.embed_tokens.weight");
    }

    private boolean tied() {
        return config.path("tie_word_embeddings").asBoolean(gpt2);
    }

    private float[] get(String name) {
        float[] tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("the reference misses " + name);
        }
        return tensor;
    }

    private double[] row(float[] matrix, int index) {
        double[] out = new double[hidden];
        for (int i = 0; i < hidden; i++) {
            out[i] = matrix[index * hidden + i];
        }
        return out;
    }

    private static double[] plus(double[] a, double[] b) {
        double[] out = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            out[i] = a[i] + b[i];
        }
        return out;
    }
}
