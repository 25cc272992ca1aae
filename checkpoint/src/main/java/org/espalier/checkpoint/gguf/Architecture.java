package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The model architectures that can be opened, and the Hugging Face names of their tensors. */
enum Architecture {
    LLAMA("llama", "LlamaForCausalLM"),
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "Qwen3ForCausalLM"),
    GPT2("gpt2", "GPT2LMHeadModel");

    private static final Pattern BLOCK =
            Pattern.compile("blk\\.(0|[1-9]\\d{0,5})\\.(.+)\\.(weight|bias)");

    private static final Map<String, String> LLAMA_MODULES =
            Map.ofEntries(
                    Map.entry("attn_norm", "input_layernorm"),
                    Map.entry("attn_q", "self_attn.q_proj"),
                    Map.entry("attn_k", "self_attn.k_proj"),
                    Map.entry("attn_v", "self_attn.v_proj"),
                    Map.entry("attn_output", "self_attn.o_proj"),
                    Map.entry("attn_q_norm", "self_attn.q_norm"),
                    Map.entry("attn_k_norm", "self_attn.k_norm"),
                    Map.entry("ffn_norm", "post_attention_layernorm"),
                    Map.entry("ffn_gate", "mlp.gate_proj"),
                    Map.entry("ffn_up", "mlp.up_proj"),
                    Map.entry("ffn_down", "mlp.down_proj"));

    private static final Map<String, String> GPT2_MODULES =
            Map.of(
                    "attn_norm", "ln_1",
                    "attn_qkv", "attn.c_attn",
                    "attn_output", "attn.c_proj",
                    "ffn_norm", "ln_2",
                    "ffn_up", "mlp.c_fc",
                    "ffn_down", "mlp.c_proj");

    private static final Map<String, String> LLAMA_OUTSIDE =
            Map.of(
                    "token_embd.weight", "model.embed_tokens.weight",
                    "output_norm.weight", "model.norm.weight",
                    "output.weight", "lm_head.weight");

    private static final Map<String, String> GPT2_OUTSIDE =
            Map.of(
                    "token_embd.weight", "transformer.wte.weight",
                    "position_embd.weight", "transformer.wpe.weight",
                    "output_norm.weight", "transformer.ln_f.weight",
                    "output_norm.bias", "transformer.ln_f.bias",
                    "output.weight", "lm_head.weight");

    private final String id;
    private final String modelClass;

    Architecture(String id, String modelClass) {
        this.id = id;
        this.modelClass = modelClass;
    }

    /** The class of Hugging Face transformers. */
    String modelClass() {
        return modelClass;
    }

    /** {@code general.architecture}, which begins the keys of the architecture's own metadata. */
    String id() {
        return id;
    }

    static @Nullable Architecture of(String id) {
        for (Architecture architecture : values()) {
            if (architecture.id.equals(id)) {
                return architecture;
            }
        }
        return null;
    }

    /** The architecture that runs a family of Hugging Face transformers; null where there is none that we can write. */
    static @Nullable Architecture ofFamily(String modelType) {
        return modelType.equals("mistral") ? LLAMA : of(modelType);
    }

    /** The names of every tensor that a model of so many blocks may have, in the order of a file. */
    List<String> tensorNames(int blocks) {
        List<String> names = new ArrayList<>(List.of("token_embd.weight"));
        Map<String, String> outside = this == GPT2 ? GPT2_OUTSIDE : LLAMA_OUTSIDE;
        Map<String, String> modules = this == GPT2 ? GPT2_MODULES : LLAMA_MODULES;
        if (outside.containsKey("position_embd.weight")) {
            names.add("position_embd.weight");
        }
        for (int block = 0; block < blocks; block++) {
            for (String module : new TreeSet<>(modules.keySet())) {
                names.add("blk." + block + "." + module + ".weight");
                names.add("blk." + block + "." + module + ".bias");
            }
        }
        outside.keySet().stream()
                .filter(name -> name.startsWith("output"))
                .sorted(Comparator.reverseOrder())
                .forEach(names::add);
        return names;
    }

    /** The Hugging Face name of a tensor; null where this architecture has no such tensor. */
    @Nullable String tensor(String name) {
        String outside = (this == GPT2 ? GPT2_OUTSIDE : LLAMA_OUTSIDE).get(name);
        Matcher block = BLOCK.matcher(name);
        if (outside != null || !block.matches()) {
            return outside;
        }
        String module = (this == GPT2 ? GPT2_MODULES : LLAMA_MODULES).get(block.group(2));
        return module == null
                ? null
                : (this == GPT2 ? "transformer.h." : "model.layers.")
                        + block.group(1)
                        + "."
                        + module
                        + "."
                        + block.group(3);
    }

    /** Whether a matrix is stored the other way round than Hugging Face stores it ([in, out], Conv1D). */
    boolean isTransposed(String name) {
        return this == GPT2
                && name.startsWith("blk.")
                && name.endsWith(".weight")
                && !name.contains("_norm.");
    }

    /**
     * Whether the rows inside each head are permuted: llama.cpp rotates neighbours in this architecture, Hugging Face
     * the two halves of a head.
     */
    boolean isPermuted(String name) {
        return this == LLAMA && (name.contains(".attn_q.") || name.contains(".attn_k."));
    }
}
