package org.espalier.checkpoint.gguf;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.CheckpointSource;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.checkpoint.Text;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A GGUF file, or the parts of one, as Hugging Face would have the model: names, values and orientation of the tensors, configuration,
 * tokenizer. Quantized tensors appear as float32.
 */
public final class GgufModel implements CheckpointSource {
    private static final String OUTPUT = "output.weight";
    private static final String EMBEDDING = "token_embd.weight";

    private static final String HEAD = "lm_head.weight";

    private static final Set<String> BOOKKEEPING =
            Set.of(
                    "general.type",
                    "general.architecture",
                    "general.file_type",
                    "general.quantization_version",
                    "general.alignment",
                    "general.size_label",
                    "general.parameter_count");

    /** Twice as many as llama.cpp itself allows. */
    private static final long MOST_EXPERTS = 1024;

    private final GgufFile file;
    private final Architecture architecture;
    private final Metadata metadata;
    private final ObjectNode config;
    private final Map<String, Source> sources = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private @Nullable Map<String, byte[]> sideFiles;

    /** Where a tensor comes from: a whole tensor of the file, or the matrix of one expert in a stack. */
    private record Source(GgufTensor tensor, @Nullable Long expert) {}

    private GgufModel(GgufFile file) {
        this.file = file;
        this.metadata = new Metadata(file.path(), file.metadata());
        NotAModel.refuse(file, metadata);
        this.architecture = architecture();
        boolean tied = isTied();
        this.config = new ConfigBuilder(file, architecture, metadata, tied).build();
        for (GgufTensor tensor : file.tensors().values()) {
            boolean copy = tied && tensor.name().equals(OUTPUT);
            boolean configuration = RopeScaling.isPart(architecture, tensor.name());
            if (!copy && !configuration) {
                file.requireReadable(tensor);
                add(tensor);
            }
        }
    }

    /** Opens a model. Whatever is wrong with it, or cannot be mapped, is a {@link UserError}. */
    public static Checkpoint open(Path path) {
        return Checkpoint.of(source(path));
    }

    static GgufModel source(Path path) {
        GgufFile file = GgufFile.open(path);
        try {
            return new GgufModel(file);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private Architecture architecture() {
        String id = metadata.text("general.architecture");
        Long experts = metadata.optionalWhole(id + ".expert_count");
        Architecture found = Architecture.of(id, experts != null && experts > 0);
        if (found == null) {
            throw new UserError(
                    file.path()
                            + " is of architecture "
                            + Text.quote(id)
                            + ", which can be listed but not computed; give a model of "
                            + Architecture.known());
        }
        return found;
    }

    /** A tied model has no output matrix, or, in some architectures of llama.cpp, a copy of the embedding. */
    private boolean isTied() {
        GgufTensor output = file.tensors().get(OUTPUT);
        GgufTensor embedding = file.tensors().get(EMBEDDING);
        if (output == null || embedding == null) {
            return output == null;
        }
        return architecture.needsOutput()
                && output.type() == embedding.type()
                && output.extents().equals(embedding.extents())
                && file.segment(OUTPUT).mismatch(file.segment(EMBEDDING)) < 0;
    }

    private void add(GgufTensor source) {
        String name = architecture.names().tensor(source.name());
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
        if (name.contains(TensorNames.EXPERT)) {
            requireStack(source);
            for (long expert = 0; expert < shape.getFirst(); expert++) {
                String one = name.replace(TensorNames.EXPERT, Long.toString(expert));
                add(one, new Source(source, expert), shape.subList(1, shape.size()));
            }
        } else {
            boolean flattened = architecture.isFlattened(source.name()) && shape.size() == 1;
            add(name, new Source(source, null), flattened ? List.of(1L, shape.getFirst()) : shape);
        }
    }

    /** A small hostile file could name so many experts that their names alone fill the memory. */
    private void requireStack(GgufTensor source) {
        List<Long> shape = source.shape();
        if (shape.size() != 3 || shape.getFirst() > MOST_EXPERTS || source.elements() == 0) {
            throw new UserError(
                    file.path()
                            + " has the tensor "
                            + Text.quote(source.name())
                            + " of shape "
                            + shape
                            + ", which is no stack of 1 to "
                            + MOST_EXPERTS
                            + " matrices; get the model again");
        }
    }

    private void add(String name, Source source, List<Long> shape) {
        DType type =
                switch (source.tensor().type()) {
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default -> DType.F32;
                };
        long elements = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
        long bytes = Math.multiplyExact(elements, type.bits() / 8);
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
        Source source = sources.get(name);
        if (source == null) {
            throw new UserError(file.path() + " has no tensor " + Text.quote(name));
        }
        return Tensors.scoped(() -> changed(name, source));
    }

    private Tensor changed(String name, Source source) {
        String there = source.tensor().name();
        Long expert = source.expert();
        if (expert != null) {
            return file.slice(there, expert);
        }
        Tensor tensor = file.tensor(there);
        if (architecture.isTransposed(there)) {
            return tensor.t().contiguous();
        }
        if (architecture.isLessOne(there)) {
            return tensor.sub(new Scalar(1f));
        }
        if (architecture.isFlattened(there)) {
            return tensor.reshape(1, tensor.numel());
        }
        return architecture.isPermuted(there)
                ? RopeOrder.halves(tensor, heads(there), path() + ": " + name)
                : tensor;
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
        return GgufTokenizer.open(metadata);
    }

    @Override
    public List<Path> weightFiles() {
        return file.paths();
    }

    @Override
    public Map<String, Long> bytesByType() {
        Map<String, Long> bytes = new TreeMap<>();
        file.tensors()
                .values()
                .forEach(tensor -> bytes.merge(tensor.typeName(), tensor.bytes(), Long::sum));
        return bytes;
    }

    /** A tokenizer that cannot be translated is none; whoever asks for it by {@link #tokenizer} is told why. */
    @Override
    public synchronized Map<String, byte[]> sideFiles() {
        if (sideFiles == null) {
            sideFiles = hasTokenizer() ? tokenizerFiles() : Map.of();
        }
        return sideFiles;
    }

    private Map<String, byte[]> tokenizerFiles() {
        try {
            return GgufTokenizer.files(metadata);
        } catch (UserError e) {
            return Map.of();
        }
    }

    @Override
    public List<String> leftOut() {
        List<String> left = new ArrayList<>();
        boolean translated = !hasTokenizer() || !sideFiles().isEmpty();
        if (!translated) {
            left.add(
                    "tokenizer (kind "
                            + Text.line(
                                    String.valueOf(metadata.optionalText("tokenizer.ggml.model")))
                            + ", pre-tokenizer "
                            + Text.line(String.valueOf(metadata.optionalText("tokenizer.ggml.pre")))
                            + "), which cannot be translated");
        }
        for (String key : metadata.unread()) {
            boolean tokens = key.startsWith("tokenizer.ggml.");
            if (!isBookkeeping(key) && (translated || !tokens)) {
                left.add("metadata " + Text.line(key));
            }
        }
        if (file.tensors().containsKey(OUTPUT) && !tensors.containsKey(HEAD)) {
            left.add("tensor " + OUTPUT + ", a copy of the embedding");
        }
        return List.copyOf(left);
    }

    /** What says how the file is laid out, or what the tensors say as well. */
    private boolean isBookkeeping(String key) {
        return key.startsWith("split.")
                || BOOKKEEPING.contains(key)
                || key.equals(architecture.id() + ".vocab_size")
                || key.equals(architecture.id() + ".block_count");
    }

    @Override
    public void close() {
        file.close();
    }
}
