package org.espalier.network;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** DeepSeek-V2 (arXiv 2405.04434) and V3 (arXiv 2412.19437): latent attention and routers with groups. */
final class ReferenceDeepseek extends Reference {
    private final double epsilon;
    private final int heads;
    private final int plain;
    private final int rotary;
    private final int value;
    private final boolean third;
    private final JsonNode scaling;

    ReferenceDeepseek(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        epsilon = config.path("rms_norm_eps").asDouble(1e-6);
        heads = number("num_attention_heads");
        plain = number("qk_nope_head_dim");
        rotary = number("qk_rope_head_dim");
        value = number("v_head_dim");
        third = config.get("model_type").stringValue().equals("deepseek_v3");
        scaling = config.path("rope_scaling");
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
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear("lm_head", rmsNorm("model.norm", x[t], epsilon, 0));
        }
        return logits;
    }

    private double[][] block(double[][] x, int b, String name) {
        int n = x.length;
        String attention = name + "self_attn.";
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[heads][n][];
        double[][][] v = new double[heads][n][];
        for (int t = 0; t < n; t++) {
            double[] normed = rmsNorm(name + "input_layernorm", x[t], epsilon, 0);
            double[] queries =
                    config.get("q_lora_rank").isNull()
                            ? linear(attention + "q_proj", normed)
                            : linear(
                                    attention + "q_b_proj",
                                    rmsNorm(
                                            attention + "q_a_layernorm",
                                            linear(attention + "q_a_proj", normed),
                                            1e-6,
                                            0));
            double[] compressed = linear(attention + "kv_a_proj_with_mqa", normed);
            int rank = number("kv_lora_rank");
            double[] latent =
                    rmsNorm(attention + "kv_a_layernorm", part(compressed, 0, rank), 1e-6, 0);
            double[] expanded = linear(attention + "kv_b_proj", latent);
            double[] shared = turned(part(compressed, rank, rotary), t);
            for (int h = 0; h < heads; h++) {
                double[] query = part(queries, h * (plain + rotary), plain + rotary);
                q[h][t] = joined(query, turned(part(query, plain, rotary), t));
                double[] both = part(expanded, h * (plain + value), plain + value);
                k[h][t] = joined(both, shared);
                v[h][t] = part(both, plain, value);
            }
        }
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * value];
            for (int h = 0; h < heads; h++) {
                double[] one = attend(q[h][t], k[h], v[h], t, 0, (dot, distance) -> score(dot));
                System.arraycopy(one, 0, mixed, h * value, value);
            }
            double[] y = plus(x[t], linear(attention + "o_proj", mixed));
            double[] normed = rmsNorm(name + "post_attention_layernorm", y, epsilon, 0);
            boolean dense =
                    b < number("first_k_dense_replace")
                            || b % config.path("moe_layer_freq").asInt(1) != 0;
            out[t] = plus(y, dense ? gated(name + "mlp.", normed) : experts(name, normed));
        }
        return out;
    }

    private double score(double dot) {
        double all = scaling.path("mscale_all_dim").asDouble(0);
        double growth = all == 0 ? 1 : growth(all);
        return dot * growth * growth / Math.sqrt(plain + rotary);
    }

    private double growth(double weight) {
        return 0.1 * weight * Math.log(scaling.get("factor").asDouble()) + 1;
    }

    /** The first channels of a head, and the turned ones after them. */
    private double[] joined(double[] head, double[] turned) {
        double[] out = Arrays.copyOf(head, plain + rotary);
        System.arraycopy(turned, 0, out, plain, rotary);
        return out;
    }

    /** Each pair as a complex number times e^(i angle): neighbours, or channels half the width apart. */
    private double[] turned(double[] x, int position) {
        boolean neighbours = config.path("rope_interleave").asBoolean(true);
        double theta = config.path("rope_theta").asDouble(10000);
        double magnitude = 1;
        if (scaling.isObject()) {
            double all = scaling.path("mscale_all_dim").asDouble(0);
            double some = scaling.path("mscale").asDouble(0);
            magnitude = all != 0 && some != 0 ? growth(some) / growth(all) : growth(1);
        }
        double[] out = new double[rotary];
        for (int i = 0; i < rotary / 2; i++) {
            int re = neighbours ? 2 * i : i;
            int im = neighbours ? 2 * i + 1 : i + rotary / 2;
            double angle =
                    position
                            * (scaling.isObject()
                                    ? yarn(scaling, theta, rotary, i)
                                    : Math.pow(theta, -2.0 * i / rotary));
            out[re] = magnitude * (x[re] * Math.cos(angle) - x[im] * Math.sin(angle));
            out[im] = magnitude * (x[re] * Math.sin(angle) + x[im] * Math.cos(angle));
        }
        return out;
    }

    private double[] gated(String module, double[] x) {
        double[] gates = linear(module + "gate_proj", x);
        double[] inner = linear(module + "up_proj", x);
        for (int i = 0; i < inner.length; i++) {
            inner[i] *= silu(gates[i]);
        }
        return linear(module + "down_proj", inner);
    }

    private double[] experts(String name, double[] x) {
        double[] scores = linear(name + "mlp.gate", x);
        double total = Arrays.stream(scores).map(Math::exp).sum();
        double[] wanted = new double[scores.length];
        for (int e = 0; e < scores.length; e++) {
            scores[e] = third ? 1 / (1 + Math.exp(-scores[e])) : Math.exp(scores[e]) / total;
            wanted[e] = scores[e] + (third ? get(name + "mlp.gate.e_score_correction_bias")[e] : 0);
        }
        List<Integer> chosen =
                open(wanted)
                        .boxed()
                        .sorted(falling(wanted))
                        .toList()
                        .subList(0, number("num_experts_per_tok"));
        double sum = chosen.stream().mapToDouble(e -> scores[e]).sum();
        boolean normalised = third && config.path("norm_topk_prob").asBoolean(true);
        double factor = config.path("routed_scaling_factor").asDouble(third ? 2.5 : 1);
        double[] out =
                config.path("n_shared_experts").asInt(0) > 0
                        ? gated(name + "mlp.shared_experts.", x)
                        : new double[x.length];
        for (int e : chosen) {
            double weight = factor * (normalised ? scores[e] / sum : scores[e]);
            double[] answer = gated(name + "mlp.experts." + e + ".", x);
            for (int i = 0; i < out.length; i++) {
                out[i] += weight * answer[i];
            }
        }
        return out;
    }

    /** The experts of the groups that are open: all, or those of the best groups. */
    private IntStream open(double[] wanted) {
        boolean limited =
                third
                        || config.path("topk_method")
                                .asString("greedy")
                                .equals("group_limited_greedy");
        IntStream all = IntStream.range(0, wanted.length);
        if (!limited) {
            return all;
        }
        int size = wanted.length / number("n_group");
        double[] rank = new double[number("n_group")];
        for (int g = 0; g < rank.length; g++) {
            double[] inside = Arrays.copyOfRange(wanted, g * size, (g + 1) * size);
            Arrays.sort(inside);
            rank[g] = inside[size - 1] + (third ? inside[size - 2] : 0);
        }
        List<Integer> best =
                IntStream.range(0, rank.length)
                        .boxed()
                        .sorted(falling(rank))
                        .toList()
                        .subList(0, number("topk_group"));
        return all.filter(e -> best.contains(e / size));
    }

    private static Comparator<Integer> falling(double[] numbers) {
        return Comparator.comparingDouble(i -> -numbers[i]);
    }
}
