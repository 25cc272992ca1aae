package org.espalier.checkpoint;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the tokenizer classes of transformers do besides what the files say: default names, and whether the class writes
 * the post-processor of {@code tokenizer.json} anew ({@code LlamaTokenizerFast.update_post_processor} and its kin).
 */
enum TokenizerClass {
    LLAMA("<s>", "</s>", "<unk>", true, true),
    GEMMA("<bos>", "<eos>", "<unk>", true, true),
    COHERE("<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<UNK>", true, true),
    NEOX("<|endoftext|>", "<|endoftext|>", "<|endoftext|>", true, false),
    GPT2("<|endoftext|>", "<|endoftext|>", "<|endoftext|>", false, false),
    QWEN2(null, "<|endoftext|>", "<|endoftext|>", false, false),
    OTHER(null, null, null, false, false);

    /** Class names without the ending that says in what language they are written. */
    private static final Map<String, TokenizerClass> BY_NAME =
            Map.of(
                    "LlamaTokenizer", LLAMA,
                    "CodeLlamaTokenizer", LLAMA,
                    "GemmaTokenizer", GEMMA,
                    "CohereTokenizer", COHERE,
                    "GPTNeoXTokenizer", NEOX,
                    "GPT2Tokenizer", GPT2,
                    "CodeGenTokenizer", GPT2,
                    "Qwen2Tokenizer", QWEN2);

    /** The class of a {@code model_type} where no file names one, as {@code AutoTokenizer} has it. */
    private static final Map<String, TokenizerClass> BY_MODEL =
            Map.ofEntries(
                    Map.entry("llama", LLAMA),
                    Map.entry("mistral", LLAMA),
                    Map.entry("mixtral", LLAMA),
                    Map.entry("phi3", LLAMA),
                    Map.entry("deepseek_v2", LLAMA),
                    Map.entry("deepseek_v3", LLAMA),
                    Map.entry("gemma", GEMMA),
                    Map.entry("gemma2", GEMMA),
                    Map.entry("gemma3", GEMMA),
                    Map.entry("gemma3_text", GEMMA),
                    Map.entry("cohere", COHERE),
                    Map.entry("cohere2", COHERE),
                    Map.entry("gpt_neox", NEOX),
                    Map.entry("olmo", NEOX),
                    Map.entry("olmo2", NEOX),
                    Map.entry("olmoe", NEOX),
                    Map.entry("stablelm", NEOX),
                    Map.entry("gpt2", GPT2),
                    Map.entry("gpt_bigcode", GPT2),
                    Map.entry("gpt_neo", GPT2),
                    Map.entry("gptj", GPT2),
                    Map.entry("opt", GPT2),
                    Map.entry("phi", GPT2),
                    Map.entry("starcoder2", GPT2),
                    Map.entry("qwen2", QWEN2),
                    Map.entry("qwen2_moe", QWEN2),
                    Map.entry("qwen3", QWEN2),
                    Map.entry("qwen3_moe", QWEN2));

    private final @Nullable String bos;
    private final @Nullable String eos;
    private final @Nullable String unknown;
    private final boolean rewrites;
    private final boolean addsBos;

    TokenizerClass(
            @Nullable String bos,
            @Nullable String eos,
            @Nullable String unknown,
            boolean rewrites,
            boolean addsBos) {
        this.bos = bos;
        this.eos = eos;
        this.unknown = unknown;
        this.rewrites = rewrites;
        this.addsBos = addsBos;
    }

    /**
     * The class that reads a model's tokenizer.
     *
     * @param name {@code tokenizer_class}; empty where no file says
     * @param modelType {@code model_type} of config.json; empty where it does not say
     */
    static TokenizerClass of(String name, String modelType) {
        return name.isEmpty()
                ? BY_MODEL.getOrDefault(modelType, OTHER)
                : BY_NAME.getOrDefault(name.replaceFirst("Fast$", ""), OTHER);
    }

    /** The token of a role (bos, eos or unk) where no file names one; null for none. */
    @Nullable String token(String role) {
        return switch (role) {
            case "bos" -> bos;
            case "eos" -> eos;
            case "unk" -> unknown;
            default -> null;
        };
    }

    /** Whether {@code add_bos_token} and {@code add_eos_token} decide, and not {@code tokenizer.json}. */
    boolean rewritesPostProcessor() {
        return rewrites;
    }

    /** What {@code add_bos_token} is where no file says. */
    boolean addsBosByItself() {
        return addsBos;
    }
}
