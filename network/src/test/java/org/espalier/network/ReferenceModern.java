package org.espalier.network;

import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Gemma 2 and 3, and the mixtures of experts: RMS norms, rotation of whole heads, gated MLPs. */
final class ReferenceModern extends Reference {
    private final String type;
    private final boolean gemma;
    private final double epsilon;
    private final int heads;
    private final int kvHeads;
    private final int width;

    ReferenceModern(ObjectNode config, Map<String, float[]> tensors) {
        super(config, tensors);
        type = config.get("model_type").stringValue();
        gemma = type.startsWith("gemma");
        epsilon = type.equals("mixtral") || type.equals("olmoe") ? 1e-5 : 1e-6;
        heads = number("num_attention_heads");
        kvHeads = number("num_key_value_heads");
        width = config.path("head_dim").asInt(number("hidden_size") / heads);
    }

    @Override
    double[][] logits(long[] ids) {
        int hidden = number("hidden_size");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], hidden);
            for (int i = 0; gemma && i < hidden; i++) {
                x[t][i] *= rounded(Math.sqrt(hidden));
            }
        }
        for (int b = 0; b < number("num_hidden_layers"); b++) {
            x = block(x, b, "model.layers." + b + ".");
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = linear(gemma ? "model.embed_tokens" : "lm_head", norm("model.norm", x[t]));
            for (int i = 0; type.equals("gemma2") && i < logits[t].length; i++) {
                double cap = config.path("final_logit_softcapping").asDouble(30);
                logits[t][i] = cap * Math.tanh(logits[t][i] / cap);
            }
        }
        return logits;
    }

    /** In the type of the weights, as the models are trained: bfloat16 keeps 7 bits after the first, float16 10. */
    private double rounded(double factor) {
        int bits =
                switch (config.path("torch_dtype").asString("float32")) {
                    case "bfloat16" -> 7;
                    case "float16" -> 10;
                    default -> 23;
                };
        double unit = Math.scalb(1.0, Math.getExponent(factor) - bits);
        return Math.rint(factor / unit) * unit;
    }

    private double[] norm(String module, double[] x) {
        return rmsNorm(module, x, epsilon, gemma ? 1 : 0);
    }

    private double[][] block(double[][] x, int b, String name) {
        int n = x.length;
        double[][][] q = new double[heads][n][];
        double[][][] k = new double[kvHeads][n][];
        double[][][] v = new double[kvHeads][n][];
        for (int t = 0; t < n; t++) {
            double[] normed = norm(name + "input_layernorm", x[t]);
            double[] queries = projected(name, "q", normed);
            double[] keys = projected(name, "k", normed);
            double[] values = projected(name, "v", normed);
            for (int h = 0; h < heads; h++) {
                q[h][t] = head(name + "self_attn.q_norm", queries, h, b, t);
            }
            for (int h = 0; h < kvHeads; h++) {
                k[h][t] = head(name + "self_attn.k_norm", keys, h, b, t);
                v[h][t] = part(values, h * width, width);
            }
        }
        int window = slides(b) ? number("sliding_window") : 1 << 20;
        double[][] out = new double[n][];
        for (int t = 0; t < n; t++) {
            double[] mixed = new double[heads * width];
            for (int h = 0; h < heads; h++) {
                int kv = h * kvHeads / heads;
                double[] one = attend(q[h][t], k[kv], v[kv], t, t - window + 1, this::score);
                System.arraycopy(one, 0, mixed, h * width, width);
            }
            double[] attended = linear(name + "self_attn.o_proj", mixed);
            if (gemma) {
                double[] y = plus(x[t], norm(name + "post_attention_layernorm", attended));
                double[] fed = mlp(name + "mlp.", norm(name + "pre_feedforward_layernorm", y));
                out[t] = plus(y, norm(name + "post_feedforward_layernorm", fed));
            } else {
                double[] y = plus(x[t], attended);
                double[] normed = norm(name + "post_attention_layernorm", y);
                out[t] = plus(y, experts(name, normed));
            }
        }
        return out;
    }

    private double score(double dot, int distance) {
        double scaled = dot / Math.sqrt(config.path("query_pre_attn_scalar").asDouble(width));
        if (!type.equals("gemma2")) {
            return scaled;
        }
        double cap = config.path("attn_logit_softcapping").asDouble(50);
        return cap * Math.tanh(scaled / cap);
    }

    private boolean slides(int b) {
        if (config.has("layer_types")) {
            return config.get("layer_types").get(b).asString().equals("sliding_attention");
        }
        return switch (type) {
            case "gemma2" -> b % 2 == 0;
            case "gemma3_text" -> b % 6 != 5;
            case "mixtral" -> config.has("sliding_window");
            // Blocks 0, 2, ... below max_window_layers (transformers, Qwen2MoeConfig).
            case "qwen2_moe" ->
                    config.path("use_sliding_window").asBoolean(false)
                            && b % 2 == 0
                            && b < config.path("max_window_layers").asInt(28);
            default -> false;
        };
    }

    private double[] projected(String name, String kind, double[] x) {
        double[] wide = linear(name + "self_attn." + kind + "_proj", x);
        if (type.equals("olmoe")) {
            if (!kind.equals("v")) {
                wide = norm(name + "self_attn." + kind + "_norm", wide);
            }
            double clip = config.path("clip_qkv").asDouble(Double.POSITIVE_INFINITY);
            for (int i = 0; i < wide.length; i++) {
                wide[i] = Math.max(-clip, Math.min(clip, wide[i]));
            }
        }
        return wide;
    }

    private double[] head(String norm, double[] wide, int h, int b, int position) {
        double[] head = part(wide, h * width, width);
        if (type.equals("gemma3_text") || type.equals("qwen3_moe")) {
            head = norm(norm, head);
        }
        JsonNode rope = config.path("rope_parameters");
        rope = rope.path(slides(b) ? "sliding_attention" : "full_attention");
        boolean gemma3 = type.equals("gemma3_text");
        boolean local = gemma3 && slides(b);
        String key = local ? "rope_local_base_freq" : "rope_theta";
        double usual = type.equals("mixtral") || (gemma3 && !local) ? 1e6 : 1e4;
        double theta = rope.path("rope_theta").asDouble(config.path(key).asDouble(usual));
        double[] frequencies = frequencies(theta, width);
        // The map of the old dialect is for blocks that see everything.
        JsonNode scaling = local ? rope : config.path("rope_scaling");
        double factor = rope.path("factor").asDouble(scaling.path("factor").asDouble(1));
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] /= factor;
        }
        rotate(head, position, frequencies, 1);
        return head;
    }

    private double[] mlp(String module, double[] x) {
        return gated(x, module + "gate_proj", module + "up_proj", module + "down_proj");
    }

    private double[] gated(double[] x, String gate, String up, String down) {
        double[] gates = linear(gate, x);
        double[] inner = linear(up, x);
        for (int i = 0; i < inner.length; i++) {
            inner[i] *= gemma ? geluTanh(gates[i]) : silu(gates[i]);
        }
        return linear(down, inner);
    }

    private double[] experts(String name, double[] x) {
        boolean mixtral = type.equals("mixtral");
        String router = name + (mixtral ? "block_sparse_moe.gate" : "mlp.gate");
        if (!has(router + ".weight")) {
            return mlp(name + "mlp.", x);
        }
        double[] weight = linear(router, x);
        double total = 0;
        for (int e = 0; e < weight.length; e++) {
            weight[e] = Math.exp(weight[e]);
            total += weight[e];
        }
        int[] chosen =
                IntStream.range(0, weight.length)
                        .boxed()
                        .sorted((a, c) -> Double.compare(weight[c], weight[a]))
                        .limit(number("num_experts_per_tok"))
                        .mapToInt(Integer::intValue)
                        .toArray();
        if (mixtral || config.path("norm_topk_prob").asBoolean(false)) {
            total = IntStream.of(chosen).mapToDouble(e -> weight[e]).sum();
        }
        double[] out = new double[x.length];
        for (int e : chosen) {
            String expert = name + (mixtral ? "block_sparse_moe.experts." : "mlp.experts.") + e;
            double[] answer =
                    mixtral
                            ? gated(x, expert + ".w1", expert + ".w3", expert + ".w2")
                            : mlp(expert + ".", x);
            for (int i = 0; i < out.length; i++) {
                out[i] += weight[e] / total * answer[i];
            }
        }
        if (type.equals("qwen2_moe")) {
            double gate = linear(name + "mlp.shared_expert_gate", x)[0];
            double[] answer = mlp(name + "mlp.shared_expert.", x);
            for (int i = 0; i < out.length; i++) {
                out[i] += answer[i] / (1 + Math.exp(-gate));
            }
        }
        return out;
    }
}
