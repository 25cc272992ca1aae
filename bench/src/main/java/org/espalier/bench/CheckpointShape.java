package org.espalier.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.TensorSpec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Checkpoints of real proportions: what config.json says, and which tensors there are. */
enum CheckpointShape {
    /** TinyLlama 1.1B: 1,100,048,384 parameters, 2.2 GB in bfloat16. */
    TINYLLAMA_1_1B(2048, 5632, 22, 32, 4, 0),
    /** Llama 2 7B: 6,738,415,616 parameters, 13.5 GB in bfloat16. */
    LLAMA_7B(4096, 11008, 32, 32, 32, 0),
    /** The proportions of Phi-3.5-MoE under Mixtral's names: 16 experts, two per token; 2.6 GB per block in bfloat16. */
    MIXTURE_16(4096, 6400, 32, 32, 8, 16);

    private static final int VOCABULARY = 32_000;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final long hidden;
    private final long intermediate;
    private final int blocks;
    private final int heads;
    private final int keyHeads;
    private final int experts;

    CheckpointShape(
            long hidden, long intermediate, int blocks, int heads, int keyHeads, int experts) {
        this.hidden = hidden;
        this.intermediate = intermediate;
        this.blocks = blocks;
        this.heads = heads;
        this.keyHeads = keyHeads;
        this.experts = experts;
    }

    /** The shape of this name, {@code llama-7b}. */
    static CheckpointShape of(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.label().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                "no shape "
                                        + name
                                        + "; there are "
                                        + Arrays.stream(values())
                                                .map(CheckpointShape::label)
                                                .collect(Collectors.joining(", "))));
    }

    /** Name on the command line. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-').replace("1-1b", "1.1b");
    }

    /** Number of blocks of the original. */
    int blocks() {
        return blocks;
    }

    /** Number of token ids. */
    int vocabulary() {
        return VOCABULARY;
    }

    /** The model's config.json with that many blocks. */
    ObjectNode config(int blockCount) {
        ObjectNode config = JSON.createObjectNode();
        config.put("model_type", experts == 0 ? "llama" : "mixtral")
                .put("vocab_size", VOCABULARY)
                .put("hidden_size", hidden)
                .put("intermediate_size", intermediate)
                .put("num_hidden_layers", blockCount)
                .put("num_attention_heads", heads)
                .put("num_key_value_heads", keyHeads)
                .put("max_position_embeddings", 4096)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("hidden_act", "silu")
                .put("tie_word_embeddings", false)
                .put("torch_dtype", "bfloat16");
        config.putArray("architectures")
                .add(experts == 0 ? "LlamaForCausalLM" : "MixtralForCausalLM");
        if (experts > 0) {
            config.put("num_local_experts", experts).put("num_experts_per_tok", 2);
        }
        return config;
    }

    /** The tensors of a model with that many blocks, bfloat16, in forward order. */
    List<TensorSpec> tensors(int blockCount) {
        List<TensorSpec> tensors = new ArrayList<>();
        add(tensors, "model.embed_tokens", VOCABULARY, hidden);
        long keys = hidden / heads * keyHeads;
        for (int block = 0; block < blockCount; block++) {
            String prefix = "model.layers." + block + ".";
            add(tensors, prefix + "input_layernorm", hidden);
            add(tensors, prefix + "self_attn.q_proj", hidden, hidden);
            add(tensors, prefix + "self_attn.k_proj", keys, hidden);
            add(tensors, prefix + "self_attn.v_proj", keys, hidden);
            add(tensors, prefix + "self_attn.o_proj", hidden, hidden);
            add(tensors, prefix + "post_attention_layernorm", hidden);
            if (experts == 0) {
                add(tensors, prefix + "mlp.gate_proj", intermediate, hidden);
                add(tensors, prefix + "mlp.up_proj", intermediate, hidden);
                add(tensors, prefix + "mlp.down_proj", hidden, intermediate);
            } else {
                add(tensors, prefix + "block_sparse_moe.gate", experts, hidden);
                for (int expert = 0; expert < experts; expert++) {
                    String name = prefix + "block_sparse_moe.experts." + expert + ".";
                    add(tensors, name + "w1", intermediate, hidden);
                    add(tensors, name + "w3", intermediate, hidden);
                    add(tensors, name + "w2", hidden, intermediate);
                }
            }
        }
        add(tensors, "model.norm", hidden);
        add(tensors, "lm_head", VOCABULARY, hidden);
        return tensors;
    }

    private static void add(List<TensorSpec> tensors, String module, long... shape) {
        tensors.add(
                new TensorSpec(
                        module + ".weight", DType.BF16, Arrays.stream(shape).boxed().toList()));
    }
}
