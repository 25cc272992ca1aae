package org.espalier.checkpoint.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * The architectures of llama.cpp that can be opened and written, and what they change of Hugging Face's checkpoints
 * (llama.cpp {@code convert_hf_to_gguf.py} and {@code src/llama-model.cpp}, b4916 and b7700).
 */
public enum Architecture {
    /** Also Mistral. */
    LLAMA("llama", "llama", "LlamaForCausalLM", TensorNames.LLAMA),
    MIXTRAL("llama", "mixtral", "MixtralForCausalLM", TensorNames.MIXTRAL),
    QWEN2("qwen2", "qwen2", "Qwen2ForCausalLM", TensorNames.QWEN2),
    QWEN2_MOE("qwen2moe", "qwen2_moe", "Qwen2MoeForCausalLM", TensorNames.QWEN2_MOE),
    QWEN3("qwen3", "qwen3", "Qwen3ForCausalLM", TensorNames.QWEN3),
    QWEN3_MOE("qwen3moe", "qwen3_moe", "Qwen3MoeForCausalLM", TensorNames.QWEN3_MOE),
    OLMOE("olmoe", "olmoe", "OlmoeForCausalLM", TensorNames.QWEN3_MOE),
    PHI3("phi3", "phi3", "Phi3ForCausalLM", TensorNames.PHI3),
    GEMMA2("gemma2", "gemma2", "Gemma2ForCausalLM", TensorNames.GEMMA2),
    GEMMA3("gemma3", "gemma3_text", "Gemma3ForCausalLM", TensorNames.GEMMA3),
    GPT2("gpt2", "gpt2", "GPT2LMHeadModel", TensorNames.GPT2);

    private final String id;
    private final String family;
    private final String modelClass;

    @SuppressWarnings("ImmutableEnumChecker") // its maps and sets are copies that cannot change
    private final TensorNames names;

    Architecture(String id, String family, String modelClass, TensorNames names) {
        this.id = id;
        this.family = family;
        this.modelClass = modelClass;
        this.names = names;
    }

    /** The class of Hugging Face transformers. */
    String modelClass() {
        return modelClass;
    }

    /** {@code model_type} of Hugging Face transformers. */
    String family() {
        return family;
    }

    /** {@code general.architecture}, which begins the keys of the architecture's own metadata. */
    public String id() {
        return id;
    }

    TensorNames names() {
        return names;
    }

    /** The architecture of a file; null where there is none that we can read. */
    static @Nullable Architecture of(String id, boolean hasExperts) {
        return Arrays.stream(values())
                .filter(architecture -> architecture.id.equals(id))
                .filter(architecture ->
                        !id.equals("llama") || architecture.hasExperts() == hasExperts)
                .findFirst()
                .orElse(null);
    }

    /** The architecture that runs a family of Hugging Face transformers; other families are a user's error. */
    public static Architecture ofFamily(String modelType) {
        String asked = modelType.equals("mistral") ? "llama" : modelType;
        return Arrays.stream(values())
                .filter(architecture -> architecture.family.equals(asked))
                .findFirst()
                .orElseThrow(() ->
                        new UserError(
                                "models of family "
                                        + Text.quote(modelType)
                                        + " cannot be exported to GGUF; "
                                        + String.join(", ", families())
                                        + " can: export to safetensors, and use llama.cpp's own"
                                        + " converter if it has one"));
    }

    private static List<String> families() {
        return Stream.concat(
                        Arrays.stream(values()).map(Architecture::family), Stream.of("mistral"))
                .sorted()
                .toList();
    }

    /** The values of {@code general.architecture} that can be read, for messages. */
    static String known() {
        return Arrays.stream(values())
                .map(Architecture::id)
                .distinct()
                .collect(Collectors.joining(", "));
    }

    boolean hasExperts() {
        return names.modules().containsKey("ffn_gate_exps");
    }

    /** Whether this is Gemma 2 or 3. */
    public boolean isGemma() {
        return this == GEMMA2 || this == GEMMA3;
    }

    /** Whether a file always has an output matrix, a copy of the embedding where the two are tied. */
    boolean needsOutput() {
        return this == GPT2 || this == QWEN2_MOE || this == OLMOE;
    }

    /** Whether llama.cpp makes the weights of the chosen experts sum to 1. */
    public boolean normalisesExperts() {
        return this == MIXTRAL || this == QWEN3_MOE;
    }

    /** Whether llama.cpp can divide each frequency of the rope by a number of its own. */
    public boolean hasRopeDivisors() {
        return id.equals("llama");
    }

    /** Whether all heads together must be as wide as the residual stream. */
    public boolean needsFullHeads() {
        return switch (this) {
            case QWEN2, QWEN2_MOE, PHI3, OLMOE, GPT2 -> true;
            case LLAMA, MIXTRAL, QWEN3, QWEN3_MOE, GEMMA2, GEMMA3 -> false;
        };
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
        return id.equals("llama") && (name.contains(".attn_q.") || name.contains(".attn_k."));
    }

    /** Whether Hugging Face stores the scale of a norm less 1. */
    boolean isLessOne(String name) {
        return isGemma() && name.endsWith("_norm.weight");
    }

    /** Whether the vector is a matrix of one row with Hugging Face. */
    boolean isFlattened(String name) {
        return this == QWEN2_MOE && name.endsWith(".ffn_gate_inp_shexp.weight");
    }

    /**
     * What the scores of attention are multiplied with. Only Gemma's models of 27 billion parameters, which llama.cpp
     * knows by the number of their blocks, differ.
     */
    public double attentionScale(long headDim, long hidden, long heads, long blocks) {
        boolean largest = (this == GEMMA2 && blocks == 46) || (this == GEMMA3 && blocks == 62);
        long width = largest ? hidden / heads : headDim;
        return 1 / Math.sqrt((double) width);
    }

    /** Of so many neighbouring blocks all but the last see a window only; 1 where no block does. */
    public int windowPattern() {
        return this == GEMMA2 ? 2 : this == GEMMA3 ? 6 : 1;
    }
}
