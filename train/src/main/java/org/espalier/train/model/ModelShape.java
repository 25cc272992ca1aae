package org.espalier.train.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The sizes of a Llama decoder with a tied embedding and no biases.
 *
 * @param vocabulary number of token ids
 * @param hidden width of the residual stream
 * @param intermediate width of the gated MLP
 * @param blocks number of decoder blocks
 * @param heads number of query heads; divides {@code hidden}, and a head is an even number wide
 * @param kvHeads number of key and value heads; divides {@code heads}
 * @param context number of tokens of a training sequence, and the longest text that the model is made for
 */
public record ModelShape(
        int vocabulary,
        int hidden,
        int intermediate,
        int blocks,
        int heads,
        int kvHeads,
        int context) {
    /** What the norms add under the root. */
    static final double NORM_EPSILON = 1e-5;

    /** Base of the rotary frequencies. */
    static final double ROPE_THETA = 10_000;

    /** How a tensor starts. */
    enum Start {
        /** Normal with the initial deviation. */
        NORMAL,
        /** Normal with the initial deviation over the root of twice the blocks: its product is added to the residual stream. */
        RESIDUAL,
        /** All ones: the gain of a norm. */
        ONES
    }

    /** One tensor of the model under its name in the checkpoint. */
    record Parameter(String name, Start start, List<Long> dimensions) {
        Parameter(String name, Start start, long... dimensions) {
            this(name, start, Arrays.stream(dimensions).boxed().toList());
        }

        long[] shape() {
            return dimensions.stream().mapToLong(Long::longValue).toArray();
        }

        long size() {
            return dimensions.stream().reduce(1L, Math::multiplyExact);
        }

        boolean isMatrix() {
            return dimensions.size() == 2;
        }
    }

    /** Width of a head. */
    public int headWidth() {
        return hidden / heads;
    }

    /** Number of weights, norms included; the embedding counts once. */
    public long parameterCount() {
        return parameters().stream().mapToLong(Parameter::size).sum();
    }

    /** All tensors: the matrices first, then the vectors, so that weight decay is one operation on one range. */
    List<Parameter> parameters() {
        List<Parameter> parameters = new ArrayList<>();
        long keys = (long) kvHeads * headWidth();
        parameters.add(
                new Parameter("model.embed_tokens.weight", Start.NORMAL, vocabulary, hidden));
        for (int block = 0; block < blocks; block++) {
            String attention = "model.layers." + block + ".self_attn.";
            parameters.add(
                    new Parameter(attention + "q_proj.weight", Start.NORMAL, hidden, hidden));
            parameters.add(new Parameter(attention + "k_proj.weight", Start.NORMAL, keys, hidden));
            parameters.add(new Parameter(attention + "v_proj.weight", Start.NORMAL, keys, hidden));
            parameters.add(
                    new Parameter(attention + "o_proj.weight", Start.RESIDUAL, hidden, hidden));
            String mlp = "model.layers." + block + ".mlp.";
            parameters.add(
                    new Parameter(mlp + "gate_proj.weight", Start.NORMAL, intermediate, hidden));
            parameters.add(
                    new Parameter(mlp + "up_proj.weight", Start.NORMAL, intermediate, hidden));
            parameters.add(
                    new Parameter(mlp + "down_proj.weight", Start.RESIDUAL, hidden, intermediate));
        }
        for (int block = 0; block < blocks; block++) {
            String prefix = "model.layers." + block + ".";
            parameters.add(new Parameter(prefix + "input_layernorm.weight", Start.ONES, hidden));
            parameters.add(
                    new Parameter(prefix + "post_attention_layernorm.weight", Start.ONES, hidden));
        }
        parameters.add(new Parameter("model.norm.weight", Start.ONES, hidden));
        return parameters;
    }

    /**
     * The config.json that stock runtimes read.
     *
     * @param dtype {@code float32} or {@code bfloat16}
     * @param begin id that begins a text
     * @param end id that ends a text
     */
    ObjectNode config(String dtype, int begin, int end) {
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.putArray("architectures").add("LlamaForCausalLM");
        config.put("model_type", "llama")
                .put("vocab_size", vocabulary)
                .put("hidden_size", hidden)
                .put("intermediate_size", intermediate)
                .put("num_hidden_layers", blocks)
                .put("num_attention_heads", heads)
                .put("num_key_value_heads", kvHeads)
                .put("head_dim", headWidth())
                .put("max_position_embeddings", context)
                .put("rms_norm_eps", NORM_EPSILON)
                .put("rope_theta", ROPE_THETA)
                .putNull("rope_scaling")
                .put("hidden_act", "silu")
                .put("attention_bias", false)
                .put("attention_dropout", 0.0)
                .put("mlp_bias", false)
                .put("tie_word_embeddings", true)
                .put("bos_token_id", begin)
                .put("eos_token_id", end)
                .put("initializer_range", TrainingSettings.INITIAL_DEVIATION)
                .put("use_cache", true)
                .put("torch_dtype", dtype);
        return config;
    }
}
