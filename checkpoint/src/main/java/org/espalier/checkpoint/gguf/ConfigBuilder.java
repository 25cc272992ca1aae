package org.espalier.checkpoint.gguf;

import java.util.List;
import org.espalier.core.UserError;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Makes of a GGUF file's metadata the {@code config.json} that Hugging Face would have. */
final class ConfigBuilder {
    /** Base of the frequencies in Gemma 3's blocks with a window. */
    private static final double LOCAL_THETA = 10_000;

    /** Gemma 2's bounds where a file names none. */
    private static final double ATTENTION_CAP = 50;

    private static final double LOGIT_CAP = 30;

    private final GgufFile file;
    private final Architecture architecture;
    private final Metadata metadata;
    private final boolean tied;
    private final ObjectNode config = JsonMapper.shared().createObjectNode();

    /**
     * Reads nothing yet.
     *
     * @param tied whether the embedding is also the output matrix
     */
    ConfigBuilder(GgufFile file, Architecture architecture, Metadata metadata, boolean tied) {
        this.file = file;
        this.architecture = architecture;
        this.metadata = metadata;
        this.tied = tied;
    }

    ObjectNode build() {
        config.put("model_type", architecture.family());
        config.putArray("architectures").add(architecture.modelClass());
        if (architecture == Architecture.GPT2) {
            gpt2();
        } else {
            llamaLike();
        }
        config.put("vocab_size", rows("token_embd.weight"));
        config.put("tie_word_embeddings", tied);
        Long begin = metadata.optionalWhole("tokenizer.ggml.bos_token_id");
        if (begin != null) {
            config.put("bos_token_id", begin);
        }
        List<Long> ends = EndTokens.of(metadata);
        if (ends.size() == 1) {
            config.put("eos_token_id", ends.getFirst());
        } else if (!ends.isEmpty()) {
            ends.forEach(config.putArray("eos_token_id")::add);
        }
        return config;
    }

    private void llamaLike() {
        long hidden = own("embedding_length");
        long heads = own("attention.head_count");
        Long kvHeads = metadata.optionalWhole(key("attention.head_count_kv"));
        if (heads < 1 || (kvHeads != null && kvHeads < 1)) {
            throw new UserError(file.path() + " has attention without heads; get the model again");
        }
        Long keyLength = metadata.optionalWhole(key("attention.key_length"));
        long headDim = keyLength == null ? hidden / heads : keyLength;
        requireHeadDim("attention.value_length", headDim);
        config.put("hidden_size", hidden);
        config.put("num_hidden_layers", own("block_count"));
        config.put("num_attention_heads", heads);
        config.put("num_key_value_heads", kvHeads == null ? heads : kvHeads);
        config.put("head_dim", headDim);
        config.put("max_position_embeddings", own("context_length"));
        config.put("rms_norm_eps", metadata.real(key("attention.layer_norm_rms_epsilon")));
        if (!architecture.isGemma()) {
            config.put("hidden_act", "silu");
        }
        rope(headDim);
        switch (architecture) {
            case LLAMA -> {
                config.put("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
                config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_up.bias"));
            }
            case QWEN2_MOE ->
                    config.put("qkv_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
            case GEMMA2, GEMMA3 -> gemma(headDim, hidden, heads);
            default -> {}
        }
        config.put("intermediate_size", intermediate());
        if (architecture.hasExperts()) {
            experts();
        } else {
            refuseExperts();
        }
        window();
    }

    /** llama.cpp does not insist on the key where the tensors say it, and neither do we. */
    private long intermediate() {
        Long given = metadata.optionalWhole(key("feed_forward_length"));
        if (given != null) {
            return given;
        }
        if (architecture.hasExperts()) {
            return rows("blk.0.ffn_gate_exps.weight", 1);
        }
        long rows = rows("blk.0.ffn_up.weight");
        return architecture == Architecture.PHI3 ? rows / 2 : rows;
    }

    private void rope(long headDim) {
        long width = headDim;
        if (architecture == Architecture.PHI3) {
            Long part = metadata.optionalWhole(key("rope.dimension_count"));
            width = part == null ? headDim : part;
            config.put("partial_rotary_factor", (double) width / headDim);
        } else {
            requireHeadDim("rope.dimension_count", headDim);
        }
        Double theta = metadata.optionalReal(key("rope.freq_base"));
        config.put("rope_theta", theta == null ? 10000.0 : theta);
        new RopeScaling(file, metadata, architecture).addTo(config, width, own("context_length"));
    }

    /** What llama.cpp has in its source for these architectures, and not in the file, too. */
    private void gemma(long headDim, long hidden, long heads) {
        config.put("hidden_activation", "gelu_pytorch_tanh");
        double scale = architecture.attentionScale(headDim, hidden, heads, own("block_count"));
        config.put("query_pre_attn_scalar", Math.rint(1 / (scale * scale)));
        config.put("sliding_window_pattern", architecture.windowPattern());
        if (architecture == Architecture.GEMMA3) {
            config.put("rope_local_base_freq", LOCAL_THETA);
            return;
        }
        Double attention = metadata.optionalReal(key("attn_logit_softcapping"));
        config.put("attn_logit_softcapping", attention == null ? ATTENTION_CAP : attention);
        Double logits = metadata.optionalReal(key("final_logit_softcapping"));
        config.put("final_logit_softcapping", logits == null ? LOGIT_CAP : logits);
    }

    private void experts() {
        boolean mixtral = architecture == Architecture.MIXTRAL;
        config.put(mixtral ? "num_local_experts" : "num_experts", own("expert_count"));
        config.put("num_experts_per_tok", own("expert_used_count"));
        config.put("norm_topk_prob", architecture.normalisesExperts());
        // The converter may leave these two out; the tensors say them as well.
        if (architecture == Architecture.QWEN2_MOE || architecture == Architecture.QWEN3_MOE) {
            config.put("moe_intermediate_size", rows("blk.0.ffn_gate_exps.weight", 1));
        }
        if (architecture == Architecture.QWEN2_MOE) {
            config.put("shared_expert_intermediate_size", rows("blk.0.ffn_gate_shexp.weight"));
        }
    }

    private void gpt2() {
        config.put("n_embd", own("embedding_length"));
        config.put("n_layer", own("block_count"));
        config.put("n_head", own("attention.head_count"));
        config.put("n_positions", own("context_length"));
        // The converter writes 4 * hidden whatever the width is, so the tensor is asked.
        config.put("n_inner", rows("blk.0.ffn_up.weight"));
        config.put("layer_norm_epsilon", metadata.real(key("attention.layer_norm_epsilon")));
        config.put("activation_function", "gelu_new");
    }

    private void refuseExperts() {
        Long experts = metadata.optionalWhole(key("expert_count"));
        if (experts != null && experts > 0) {
            throw new UserError(
                    file.path()
                            + " has "
                            + key("expert_count")
                            + " = "
                            + experts
                            + ", which cannot be opened; use the Hugging Face folder of the model");
        }
    }

    private void requireHeadDim(String name, long headDim) {
        Long given = metadata.optionalWhole(key(name));
        if (given != null && given != headDim) {
            throw new UserError(
                    file.path()
                            + " has "
                            + key(name)
                            + " = "
                            + given
                            + " where heads are "
                            + headDim
                            + " wide; only models that are the same in both can be opened");
        }
    }

    /** Llama with a window is Mistral. */
    private void window() {
        Long window = metadata.optionalWhole(key("attention.sliding_window"));
        if (window == null || window == 0) {
            return;
        }
        config.put("sliding_window", window);
        if (architecture != Architecture.LLAMA) {
            // The Qwens have a switch for theirs; it means nothing to the others.
            config.put("use_sliding_window", true);
            config.put("max_window_layers", 0);
            return;
        }
        for (String biased : List.of("blk.0.attn_q.bias", "blk.0.ffn_up.bias")) {
            if (file.tensors().containsKey(biased)) {
                throw new UserError(
                        file.path()
                                + " has "
                                + key("attention.sliding_window")
                                + " = "
                                + window
                                + " and the tensor '"
                                + biased
                                + "', which cannot be opened together; use the Hugging Face folder of the model");
            }
        }
        config.put("model_type", "mistral");
        config.putArray("architectures").add("MistralForCausalLM");
    }

    private long own(String name) {
        return metadata.whole(key(name));
    }

    private String key(String name) {
        return architecture.id() + "." + name;
    }

    private long rows(String tensor) {
        return rows(tensor, 0);
    }

    /** Extent of an axis of a matrix or, with axis 1, of the matrices of a stack. */
    private long rows(String tensor, int axis) {
        GgufTensor info = file.tensors().get(tensor);
        if (info == null || info.extents().size() != 2 + axis) {
            throw new UserError(
                    file.path()
                            + " has no matrix "
                            + tensor
                            + "; it holds no whole model (perhaps a vocabulary only)");
        }
        return info.shape().get(axis);
    }
}
