package org.espalier.network;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** What the plain forward passes share: float64 loops over one token after the other, no libtorch, no descriptors. */
abstract class Reference {
    final ObjectNode config;
    private final Map<String, float[]> tensors;

    Reference(ObjectNode config, Map<String, float[]> tensors) {
        this.config = config;
        this.tensors = tensors;
    }

    /** Logits [tokens][vocabulary] of one sequence, by the definition of its family. */
    static double[][] logits(ObjectNode config, Map<String, float[]> tensors, long[] ids) {
        return switch (config.get("model_type").stringValue()) {
            case "llama", "mistral", "qwen2", "qwen3" ->
                    new ReferenceLlama(config, tensors).logits(ids);
            case "gpt2" -> new ReferenceGpt2(config, tensors).logits(ids);
            case "phi3" -> new ReferencePhi3(config, tensors).logits(ids);
            case "gpt_neox" -> new ReferenceNeox(config, tensors).logits(ids);
            case "stablelm" -> new ReferenceStablelm(config, tensors).logits(ids);
            case "opt" -> new ReferenceOpt(config, tensors).logits(ids);
            case "bloom" -> new ReferenceBloom(config, tensors).logits(ids);
            case "gemma2", "gemma3_text", "mixtral", "qwen2_moe", "qwen3_moe", "olmoe" ->
                    new ReferenceModern(config, tensors).logits(ids);
            case "deepseek_v2", "deepseek_v3" -> new ReferenceDeepseek(config, tensors).logits(ids);
            default -> throw new IllegalArgumentException(config.get("model_type").toString());
        };
    }

    /** Logits of one sequence, row after row. */
    static float[] flatLogits(TinyModel model, long[] ids) {
        double[][] logits = logits(model.config, model.values, ids);
        float[] flat = new float[logits.length * logits[0].length];
        int at = 0;
        for (double[] row : logits) {
            for (double logit : row) {
                flat[at++] = (float) logit;
            }
        }
        return flat;
    }

    /** Mean negative log-likelihood of tokens 2 to the last. */
    static double loss(ObjectNode config, Map<String, float[]> tensors, long[] ids) {
        double[][] logits = logits(config, tensors, ids);
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

    abstract double[][] logits(long[] ids);

    final int number(String key) {
        return config.get(key).intValue();
    }

    final float[] get(String name) {
        float[] tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("the reference misses " + name);
        }
        return tensor;
    }

    final boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** Row of a matrix of that width. */
    final double[] row(String name, long index, int width) {
        float[] matrix = get(name);
        double[] out = new double[width];
        for (int i = 0; i < width; i++) {
            out[i] = matrix[(int) index * width + i];
        }
        return out;
    }

    /** Weight times x plus the bias, if the checkpoint has one. */
    final double[] linear(String module, double[] x) {
        float @Nullable [] bias = tensors.get(module + ".bias");
        float[] weight = get(module + ".weight");
        double[] out = new double[weight.length / x.length];
        for (int o = 0; o < out.length; o++) {
            out[o] = bias == null ? 0 : bias[o];
            for (int i = 0; i < x.length; i++) {
                out[o] += weight[o * x.length + i] * x[i];
            }
        }
        return out;
    }

    final double[] layerNorm(String module, double[] x, double epsilon) {
        double mean = 0;
        double squares = 0;
        for (double value : x) {
            mean += value / x.length;
            squares += value * value / x.length;
        }
        double deviation = Math.sqrt(squares - mean * mean + epsilon);
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] =
                    (x[i] - mean) / deviation * get(module + ".weight")[i]
                            + get(module + ".bias")[i];
        }
        return out;
    }

    /** The weight of the norm is {@code plus} more than what is stored. */
    final double[] rmsNorm(String module, double[] x, double epsilon, double plus) {
        double squares = 0;
        for (double value : x) {
            squares += value * value / x.length;
        }
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] / Math.sqrt(squares + epsilon) * (plus + get(module + ".weight")[i]);
        }
        return out;
    }

    static double[] part(double[] x, int start, int width) {
        return java.util.Arrays.copyOfRange(x, start, start + width);
    }

    static double[] plus(double[] a, double[] b) {
        double[] out = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            out[i] = a[i] + b[i];
        }
        return out;
    }

    /** Turns the first {@code frequencies.length} pairs of a head, its two halves paired, and scales them. */
    static void rotate(double[] head, int position, double[] frequencies, double magnitude) {
        int half = frequencies.length;
        for (int i = 0; i < half; i++) {
            double cos = magnitude * Math.cos(position * frequencies[i]);
            double sin = magnitude * Math.sin(position * frequencies[i]);
            double first = head[i];
            double second = head[half + i];
            head[i] = first * cos - second * sin;
            head[half + i] = second * cos + first * sin;
        }
    }

    static double[] frequencies(double theta, int width) {
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = 1 / Math.pow(theta, 2.0 * i / width);
        }
        return frequencies;
    }

    /** YaRN, equations 20 to 23 of arXiv 2309.00071, with the boundaries rounded as the authors' code does. */
    static double yarn(JsonNode scaling, double theta, int width, int i) {
        double plain = Math.pow(theta, -2.0 * i / width);
        double length = scaling.get("original_max_position_embeddings").asDouble();
        double[] ends = new double[2];
        double[] turns = {
            scaling.path("beta_fast").asDouble(32), scaling.path("beta_slow").asDouble(1)
        };
        for (int end = 0; end < 2; end++) {
            double wave = length / turns[end];
            ends[end] = width * Math.log(wave / 2 / Math.PI) / Math.log(theta) / 2;
        }
        double low = Math.max(0, Math.floor(ends[0]));
        double high = Math.min(width - 1, Math.ceil(ends[1]));
        double ramp = Math.min(1, Math.max(0, (i - low) / (high - low)));
        return plain * (1 - ramp + ramp / scaling.get("factor").asDouble());
    }

    /** A score from the dot product of a query and the key {@code distance} tokens before it. */
    interface Scorer {
        double score(double dot, int distance);
    }

    /** One head: the query at the last of the keys' positions, those before {@code first} out of sight. */
    static double[] attend(
            double[] query, double[][] keys, double[][] values, int t, int first, Scorer scorer) {
        double[] mixed = new double[values[0].length];
        double[] weight = new double[t + 1];
        double total = 0;
        for (int s = Math.max(0, first); s <= t; s++) {
            double dot = 0;
            for (int i = 0; i < query.length; i++) {
                dot += query[i] * keys[s][i];
            }
            weight[s] = Math.exp(scorer.score(dot, t - s));
            total += weight[s];
        }
        for (int s = 0; s <= t; s++) {
            for (int i = 0; i < mixed.length; i++) {
                mixed[i] += weight[s] / total * values[s][i];
            }
        }
        return mixed;
    }

    static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    static double geluTanh(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /** Simpson's rule over the normal density: slow, and plainly right. */
    static double gelu(double x) {
        int steps = 1000;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double at = i * x / steps;
            double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.exp(-at * at / 2);
        }
        return x * (0.5 + sum * x / steps / 3 / Math.sqrt(2 * Math.PI));
    }
}
