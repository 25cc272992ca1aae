package org.espalier.checkpoint.gguf;

import java.util.List;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Makes of a GGUF file's metadata the {@code config.json} that Hugging Face would have. */
final class ConfigBuilder {
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
        config.put("model_type", architecture.id());
        config.putArray("architectures").add(architecture.modelClass());
        if (architecture == Architecture.GPT2) {
            gpt2();
        } else {
            llamaLike();
        }
        config.put("vocab_size", rows("token_embd.weight"));
        config.put("tie_word_embeddings", tied);
        id("bos_token_id");
        id("eos_token_id");
        return config;
    }

    private void llamaLike() {
        refuseExperts();
        long hidden = own("embedding_length");
        long heads = own("attention.head_count");
        Long kvHeads = metadata.optionalWhole(key("attention.head_count_kv"));
        if (heads < 1 || (kvHeads != null && kvHeads < 1)) {
            throw new UserError(file.path() + " has attention without heads; get the model again");
        }
        Long keyLength = metadata.optionalWhole(key("attention.key_length"));
        long headDim = keyLength == null ? hidden / heads : keyLength;
        requireHeadDim("attention.value_length", headDim);
        requireHeadDim("rope.dimension_count", headDim);
        config.put("hidden_size", hidden);
        config.put("intermediate_size", own("feed_forward_length"));
        config.put("num_hidden_layers", own("block_count"));
        config.put("num_attention_heads", heads);
        config.put("num_key_value_heads", kvHeads == null ? heads : kvHeads);
        config.put("head_dim", headDim);
        config.put("max_position_embeddings", own("context_length"));
        config.put("rms_norm_eps", metadata.real(key("attention.layer_norm_rms_epsilon")));
        config.put("hidden_act", "silu");
        Double theta = metadata.optionalReal(key("rope.freq_base"));
        config.put("rope_theta", theta == null ? 10000.0 : theta);
        new RopeScaling(file, metadata, architecture).addTo(config, headDim, own("context_length"));
        if (architecture != Architecture.QWEN2) {
            config.put("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
        }
        if (architecture == Architecture.LLAMA) {
            config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_up.bias"));
        }
        window();
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

    /** Llama with a window is Mistral; the Qwens have a switch for theirs. The window is the same in all blocks. */
    private void window() {
        Long window = metadata.optionalWhole(key("attention.sliding_window"));
        if (window == null || window == 0) {
            return;
        }
        config.put("sliding_window", window);
        if (architecture != Architecture.LLAMA) {
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

    private void id(String name) {
        @Nullable Long id = metadata.optionalWhole("tokenizer.ggml." + name);
        if (id != null) {
            config.put(name, id);
        }
    }

    private long own(String name) {
        return metadata.whole(key(name));
    }

    private String key(String name) {
        return architecture.id() + "." + name;
    }

    private long rows(String tensor) {
        GgufTensor info = file.tensors().get(tensor);
        if (info == null || info.extents().size() != 2) {
            throw new UserError(
                    file.path()
                            + " has no matrix "
                            + tensor
                            + "; it holds no whole model (perhaps a vocabulary only)");
        }
        return info.shape().getFirst();
    }
}
