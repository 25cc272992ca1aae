package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the tensors of a GGUF file are called in Hugging Face's checkpoints of one architecture.
 *
 * @param outside names of the tensors outside the blocks
 * @param block what goes before the modules of a block, with {@code {block}} for its number
 * @param modules names of the modules of a block; those with {@link #EXPERT} are one matrix per expert there and one stack
 *     in GGUF
 * @param biased the modules that may have a bias
 */
record TensorNames(
        Map<String, String> outside,
        String block,
        Map<String, String> modules,
        Set<String> biased) {
    /** Stands for the number of an expert. */
    static final String EXPERT = "{expert}";

    private static final Pattern IN_BLOCK =
            Pattern.compile("blk\\.(0|[1-9]\\d{0,5})\\.(.+)\\.(weight|bias)");

    private static final Map<String, String> OUTSIDE =
            Map.of(
                    "token_embd.weight", "model.embed_tokens.weight",
                    "output_norm.weight", "model.norm.weight",
                    "output.weight", "lm_head.weight");

    private static final Map<String, String> ATTENTION =
            Map.of(
                    "attn_norm", "input_layernorm",
                    "attn_q", "self_attn.q_proj",
                    "attn_k", "self_attn.k_proj",
                    "attn_v", "self_attn.v_proj",
                    "attn_output", "self_attn.o_proj",
                    "ffn_norm", "post_attention_layernorm");

    private static final Map<String, String> HEAD_NORMS =
            Map.of("attn_q_norm", "self_attn.q_norm", "attn_k_norm", "self_attn.k_norm");

    private static final Map<String, String> MLP =
            Map.of(
                    "ffn_gate", "mlp.gate_proj",
                    "ffn_up", "mlp.up_proj",
                    "ffn_down", "mlp.down_proj");

    private static final Map<String, String> EXPERTS =
            Map.of(
                    "ffn_gate_inp", "mlp.gate",
                    "ffn_gate_exps", "mlp.experts.{expert}.gate_proj",
                    "ffn_up_exps", "mlp.experts.{expert}.up_proj",
                    "ffn_down_exps", "mlp.experts.{expert}.down_proj");

    private static final Map<String, String> SHARED_EXPERT =
            Map.of(
                    "ffn_gate_inp_shexp", "mlp.shared_expert_gate",
                    "ffn_gate_shexp", "mlp.shared_expert.gate_proj",
                    "ffn_up_shexp", "mlp.shared_expert.up_proj",
                    "ffn_down_shexp", "mlp.shared_expert.down_proj");

    private static final Set<String> QKV = Set.of("attn_q", "attn_k", "attn_v");

    /** Also Mistral. */
    static final TensorNames LLAMA =
            llamaLike(
                    Set.of(
                            "attn_q",
                            "attn_k",
                            "attn_v",
                            "attn_output",
                            "ffn_gate",
                            "ffn_up",
                            "ffn_down"),
                    ATTENTION,
                    MLP);

    static final TensorNames MIXTRAL =
            llamaLike(
                    Set.of(),
                    ATTENTION,
                    Map.of(
                            "ffn_gate_inp", "block_sparse_moe.gate",
                            "ffn_gate_exps", "block_sparse_moe.experts.{expert}.w1",
                            "ffn_up_exps", "block_sparse_moe.experts.{expert}.w3",
                            "ffn_down_exps", "block_sparse_moe.experts.{expert}.w2"));

    static final TensorNames QWEN2 = llamaLike(QKV, ATTENTION, MLP);

    static final TensorNames QWEN2_MOE = llamaLike(QKV, ATTENTION, EXPERTS, SHARED_EXPERT);

    static final TensorNames QWEN3 = llamaLike(Set.of(), ATTENTION, HEAD_NORMS, MLP);

    /** Also OLMoE, whose norms of q and k go over all heads. */
    static final TensorNames QWEN3_MOE = llamaLike(Set.of(), ATTENTION, HEAD_NORMS, EXPERTS);

    static final TensorNames PHI3 =
            llamaLike(
                    Set.of(),
                    Map.of(
                            "attn_norm", "input_layernorm",
                            "attn_qkv", "self_attn.qkv_proj",
                            "attn_output", "self_attn.o_proj",
                            "ffn_norm", "post_attention_layernorm",
                            "ffn_up", "mlp.gate_up_proj",
                            "ffn_down", "mlp.down_proj"));

    private static final Map<String, String> GEMMA_NORMS =
            Map.of(
                    "ffn_norm", "pre_feedforward_layernorm",
                    "post_attention_norm", "post_attention_layernorm",
                    "post_ffw_norm", "post_feedforward_layernorm");

    static final TensorNames GEMMA2 = tied(llamaLike(Set.of(), ATTENTION, GEMMA_NORMS, MLP));

    static final TensorNames GEMMA3 =
            tied(llamaLike(Set.of(), ATTENTION, GEMMA_NORMS, HEAD_NORMS, MLP));

    static final TensorNames GPT2 =
            new TensorNames(
                    Map.of(
                            "token_embd.weight", "transformer.wte.weight",
                            "position_embd.weight", "transformer.wpe.weight",
                            "output_norm.weight", "transformer.ln_f.weight",
                            "output_norm.bias", "transformer.ln_f.bias",
                            "output.weight", "lm_head.weight"),
                    "transformer.h.{block}.",
                    Map.of(
                            "attn_norm", "ln_1",
                            "attn_qkv", "attn.c_attn",
                            "attn_output", "attn.c_proj",
                            "ffn_norm", "ln_2",
                            "ffn_up", "mlp.c_fc",
                            "ffn_down", "mlp.c_proj"),
                    Set.of(
                            "attn_norm",
                            "attn_qkv",
                            "attn_output",
                            "ffn_norm",
                            "ffn_up",
                            "ffn_down"));

    TensorNames {
        outside = Map.copyOf(outside);
        modules = Map.copyOf(modules);
        biased = Set.copyOf(biased);
    }

    /** Later parts go before earlier ones. */
    @SafeVarargs
    private static TensorNames llamaLike(Set<String> biased, Map<String, String>... parts) {
        Map<String, String> modules = new HashMap<>();
        for (Map<String, String> part : parts) {
            modules.putAll(part);
        }
        return new TensorNames(OUTSIDE, "model.layers.{block}.", modules, biased);
    }

    /** Without an output matrix. */
    private static TensorNames tied(TensorNames names) {
        Map<String, String> outside = new HashMap<>(names.outside);
        outside.remove("output.weight");
        return new TensorNames(outside, names.block, names.modules, names.biased);
    }

    /** The names of every tensor that a model of so many blocks may have, in the order of a file. */
    List<String> all(int blocks) {
        List<String> names = new ArrayList<>(List.of("token_embd.weight"));
        if (outside.containsKey("position_embd.weight")) {
            names.add("position_embd.weight");
        }
        for (int number = 0; number < blocks; number++) {
            for (String module : new TreeSet<>(modules.keySet())) {
                names.add("blk." + number + "." + module + ".weight");
                if (biased.contains(module)) {
                    names.add("blk." + number + "." + module + ".bias");
                }
            }
        }
        outside.keySet().stream()
                .filter(name -> name.startsWith("output"))
                .sorted(Comparator.reverseOrder())
                .forEach(names::add);
        return names;
    }

    /** The Hugging Face name of a tensor, with {@link #EXPERT} for a stack; null where this architecture has none. */
    @Nullable String tensor(String name) {
        String found = outside.get(name);
        Matcher matcher = IN_BLOCK.matcher(name);
        if (found != null || !matcher.matches()) {
            return found;
        }
        String module = modules.get(matcher.group(2));
        String kind = matcher.group(3);
        if (module == null || (kind.equals("bias") && !biased.contains(matcher.group(2)))) {
            return null;
        }
        return block.replace("{block}", matcher.group(1)) + module + "." + kind;
    }
}
