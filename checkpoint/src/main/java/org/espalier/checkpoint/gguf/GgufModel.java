package org.espalier.checkpoint.gguf;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointSource;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.checkpoint.Text;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.node.ObjectNode;

/**
 * A GGUF file as Hugging Face would have the model: names, values and orientation of the tensors, configuration,
 * tokenizer. Architectures llama (Mistral included), qwen2, qwen3 and gpt2. Quantized tensors appear as float32.
 */
public final class GgufModel implements CheckpointSource {
    private static final String OUTPUT = "output.weight";
    private static final String EMBEDDING = "token_embd.weight";

    private final GgufFile file;
    private final Architecture architecture;
    private final Metadata metadata;
    private final ObjectNode config;
    private final Map<String, GgufTensor> sources = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    private GgufModel(GgufFile file) {
        this.file = file;
        this.metadata = new Metadata(file.path(), file.metadata());
        this.architecture = architecture();
        boolean tied = isTied();
        this.config = new ConfigBuilder(file, architecture, metadata, tied).build();
        for (GgufTensor tensor : file.tensors().values()) {
            boolean copy = tied && tensor.name().equals(OUTPUT);
            boolean configuration =
                    tensor.name().equals(RopeScaling.DIVISORS) && architecture != Architecture.GPT2;
            if (!copy && !configuration) {
                add(tensor);
            }
        }
    }

    /** Opens a model. Whatever is wrong with it, or cannot be mapped, is a {@link UserError}. */
    public static Checkpoint open(Path path) {
        GgufFile file = GgufFile.open(path);
        try {
            return Checkpoint.of(new GgufModel(file));
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private Architecture architecture() {
        String id = metadata.text("general.architecture");
        Architecture found = Architecture.of(id);
        if (found == null) {
            throw new UserError(
                    file.path()
                            + " is of architecture "
                            + Text.quote(id)
                            + ", which cannot be opened; known are "
                            + String.join(
                                    ", ",
                                    Arrays.stream(Architecture.values())
                                            .map(Architecture::id)
                                            .toList()));
        }
        return found;
    }

    /** A tied model has no output matrix, or, for llama.cpp's GPT-2, a copy of the embedding. */
    private boolean isTied() {
        GgufTensor output = file.tensors().get(OUTPUT);
        GgufTensor embedding = file.tensors().get(EMBEDDING);
        if (output == null || embedding == null) {
            return output == null;
        }
        return architecture == Architecture.GPT2
                && output.type() == embedding.type()
                && output.extents().equals(embedding.extents())
                && file.segment(OUTPUT).mismatch(file.segment(EMBEDDING)) < 0;
    }

    private void add(GgufTensor source) {
        String name = architecture.tensor(source.name());
        if (name == null) {
            throw new UserError(
                    file.path()
                            + " has the tensor "
                            + Text.quote(source.name())
                            + ", which architecture "
                            + architecture.id()
                            + " does not have here; use the Hugging Face folder of the model");
        }
        boolean transposed = architecture.isTransposed(source.name());
        List<Long> shape = transposed ? source.extents() : source.shape();
        DType type =
                switch (source.type()) {
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default -> DType.F32;
                };
        long bytes = Math.multiplyExact(source.elements(), type.bits() / 8);
        tensors.put(name, new TensorInfo(name, type, shape, 0, bytes));
        sources.put(name, source);
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public ObjectNode config() {
        return config.deepCopy();
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public Tensor tensor(String name) {
        GgufTensor source = sources.get(name);
        if (source == null) {
            throw new UserError(file.path() + " has no tensor " + Text.quote(name));
        }
        return Tensors.scoped(() -> {
            Tensor tensor = file.tensor(source.name());
            if (architecture.isTransposed(source.name())) {
                return tensor.t().contiguous();
            }
            return architecture.isPermuted(source.name())
                    ? RopeOrder.halves(tensor, heads(source.name()), path() + ": " + name)
                    : tensor;
        });
    }

    private long heads(String source) {
        String key = source.contains(".attn_q.") ? "num_attention_heads" : "num_key_value_heads";
        return config.get(key).longValue();
    }

    @Override
    public boolean hasTokenizer() {
        return metadata.has("tokenizer.ggml.tokens");
    }

    @Override
    public Tokenizer tokenizer() {
        return GgufTokenizer.open(file);
    }

    @Override
    public List<Path> weightFiles() {
        return List.of(file.path());
    }

    @Override
    public Map<String, Long> bytesByType() {
        Map<String, Long> bytes = new TreeMap<>();
        file.tensors()
                .values()
                .forEach(tensor -> bytes.merge(tensor.type().name(), tensor.bytes(), Long::sum));
        return bytes;
    }

    @Override
    public Map<String, byte[]> sideFiles() {
        return hasTokenizer() ? GgufTokenizer.files(file) : Map.of();
    }

    @Override
    public void close() {
        file.close();
    }
}
