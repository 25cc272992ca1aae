package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Conversion;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.Json;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a checkpoint as a GGUF file for llama.cpp: names, order of rows, types, metadata and tokenizer as its converter
 * and its {@code llama-quantize} write them. One tensor at a time is in memory.
 */
public final class GgufExport {
    /** Elements that one thread quantizes at once; every block size divides it. */
    private static final long CHUNK = 1 << 18;

    /** Buffers that older files carry and that no runtime needs. */
    private static final Pattern NEEDLESS =
            Pattern.compile(".*\\.(attn\\.bias|attn\\.masked_bias|rotary_emb\\.inv_freq)");

    private static final int BLOCKS_OF_70B = 80;

    private final Checkpoint model;
    private final GgufShape shape;
    private final GgufFileType type;
    private final Architecture architecture;

    /** What a tensor of the file is made of: one tensor, or one of each expert; of none where it is configuration. */
    private final Map<String, List<String>> sources = new LinkedHashMap<>();

    private final List<GgufSpec> plan = new ArrayList<>();

    private GgufExport(Checkpoint model, GgufShape shape, GgufFileType type) {
        this.model = model;
        this.shape = shape;
        this.type = type;
        this.architecture = Architecture.ofFamily(shape.family());
    }

    /**
     * Writes the file; whatever cannot be said in GGUF is a {@link UserError} before anything is written.
     *
     * @param model the checkpoint, folder or GGUF file
     * @param shape its numbers
     * @param out the file to make; must not exist
     * @return bytes of the tensors by type
     */
    public static Map<String, Long> write(
            Checkpoint model, GgufShape shape, GgufFileType type, Path out, Progress progress) {
        return new GgufExport(model, shape, type).write(out, progress);
    }

    private Map<String, Long> write(Path out, Progress progress) {
        planTensors();
        Map<String, GgufValue> metadata = ExportMetadata.of(architecture, shape, type);
        byte[] tokenizer = model.sideFile("tokenizer.json");
        if (tokenizer != null) {
            ObjectNode json = (ObjectNode) Json.MAPPER.readTree(tokenizer);
            metadata.putAll(
                    ExportTokenizer.of(
                            String.valueOf(model.folder()),
                            json,
                            model.tokenizer(),
                            shape.vocabulary()));
            chatTemplate(metadata);
        } else {
            metadata.put("tokenizer.ggml.model", new GgufValue.Text("none"));
        }
        Map<String, Long> bytes = new TreeMap<>();
        try (GgufWriter writer = GgufWriter.create(out, metadata, plan)) {
            for (int i = 0; i < plan.size(); i++) {
                progress.step("writing tensor", i, plan.size());
                GgufSpec spec = plan.get(i);
                write(writer, spec);
                bytes.merge(spec.type().name(), spec.bytes(), Long::sum);
            }
            progress.step("writing tensor", plan.size(), plan.size());
            writer.commit();
        }
        return bytes;
    }

    private void planTensors() {
        Set<String> left = new LinkedHashSet<>(model.tensors().keySet());
        left.removeIf(name -> NEEDLESS.matcher(name).matches());
        if (shape.tied()) {
            left.remove("lm_head.weight");
        }
        boolean hasOutput = model.contains("lm_head.weight") && !shape.tied();
        GgufShape.Experts experts = shape.experts();
        TypeMixture mixture =
                new TypeMixture(
                        type,
                        shape.blocks(),
                        experts == null ? 0 : experts.count(),
                        sharesValues(),
                        hasOutput || architecture.needsOutput());
        for (String name : architecture.names().all(shape.blocks())) {
            List<String> parts = sources(name);
            if (parts.isEmpty()) {
                continue;
            }
            left.removeAll(parts);
            List<Long> extents = extents(name, parts);
            plan.add(new GgufSpec(name, mixture.of(name, extents), extents));
            sources.put(name, parts);
        }
        if (!left.isEmpty()) {
            throw new UserError(
                    model.folder()
                            + " has the tensor "
                            + Text.quote(left.iterator().next())
                            + ", which architecture "
                            + architecture.id()
                            + " of llama.cpp does not have; export to safetensors instead");
        }
        RopeScaling.divisors(architecture, shape)
                .forEach((name, divisors) -> {
                    plan.add(new GgufSpec(name, GgufType.F32, List.of((long) divisors.size())));
                    sources.put(name, List.of());
                });
    }

    /** Llama and Qwen2 with 80 blocks are "70B" there, unless each head of a Llama has a v of its own. */
    private boolean sharesValues() {
        return shape.blocks() == BLOCKS_OF_70B
                && (architecture == Architecture.QWEN2
                        || (architecture == Architecture.LLAMA
                                && shape.heads() != shape.kvHeads()));
    }

    private List<Long> extents(String name, List<String> parts) {
        List<Long> extents =
                new ArrayList<>(
                        Arrays.stream(model.shape(parts.getFirst())).boxed().toList().reversed());
        if (architecture.isTransposed(name)) {
            return extents.reversed();
        }
        if (architecture.isFlattened(name)) {
            extents.removeLast();
        } else if (isStack(name)) {
            extents.add((long) parts.size());
        }
        return extents;
    }

    private boolean isStack(String name) {
        String source = architecture.names().tensor(name);
        return source != null && source.contains(TensorNames.EXPERT);
    }

    /** The tensors of the checkpoint that become a tensor of the file; none where it has none. */
    private List<String> sources(String name) {
        String source = architecture.names().tensor(name);
        GgufShape.Experts experts = shape.experts();
        if (source == null) {
            return List.of();
        }
        if (source.contains(TensorNames.EXPERT) && experts != null) {
            return LongStream.range(0, experts.count())
                    .mapToObj(expert -> stored(source.replace(TensorNames.EXPERT, "" + expert)))
                    .toList();
        }
        if (name.equals("output.weight") && shape.tied()) {
            // Elsewhere llama.cpp takes the embedding where there is no output matrix.
            return architecture.needsOutput() ? sources("token_embd.weight") : List.of();
        }
        String stored = stored(source);
        return model.contains(stored) ? List.of(stored) : List.of();
    }

    /** Under what name the checkpoint has a tensor; some leave out the first module. */
    private String stored(String name) {
        return model.contains(name) ? name : name.replaceFirst("^(transformer|model)\\.", "");
    }

    private void chatTemplate(Map<String, GgufValue> metadata) {
        byte[] template = model.sideFile("chat_template.jinja");
        String text = template == null ? null : GgufValue.decode(template);
        byte[] config = model.sideFile("tokenizer_config.json");
        if (text == null && config != null) {
            text = Json.MAPPER.readTree(config).path("chat_template").asString(null);
        }
        if (text != null) {
            metadata.put("tokenizer.chat_template", new GgufValue.Text(text));
        }
    }

    private void write(GgufWriter writer, GgufSpec spec) {
        List<String> parts = sources.getOrDefault(spec.name(), List.of());
        if (parts.isEmpty()) {
            try (PointerScope scope = new PointerScope()) {
                writer.write(spec.name(), divisors(spec.name()));
            }
        }
        for (int i = 0; i < parts.size(); i++) {
            try (PointerScope scope = new PointerScope()) {
                MemorySegment bytes = stored(spec, parts.get(i));
                writer.write(spec.name(), i, parts.size(), bytes);
            }
        }
    }

    /** The bytes of one tensor of the checkpoint in the type of the file, in the innermost scope of the caller. */
    private MemorySegment stored(GgufSpec spec, String source) {
        Tensor tensor = changed(spec.name(), source);
        DType plain =
                switch (spec.type()) {
                    case F32 -> DType.F32;
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default -> null;
                };
        if (plain != null) {
            return Tensors.segment(Conversion.convert(source, tensor, plain));
        }
        Tensor floats = Conversion.convert(source, tensor, DType.F32);
        if (!floats.isfinite().all().item_bool()) {
            throw new UserError(
                    "tensor "
                            + Text.quote(source)
                            + " has values that are no numbers or infinite, which "
                            + spec.type()
                            + " cannot hold; export as f32, f16 or bf16");
        }
        long bytes = floats.numel() / spec.type().blockElements() * spec.type().blockBytes();
        Tensor blocks = torch.empty(new long[] {bytes}, Tensors.options(ScalarType.Byte), null);
        quantize(spec.type(), Tensors.segment(floats), Tensors.segment(blocks));
        return Tensors.segment(blocks);
    }

    /** Blocks do not depend on each other, so the number of threads does not show in the bytes. */
    private static void quantize(GgufType type, MemorySegment floats, MemorySegment blocks) {
        long all = floats.byteSize() / Float.BYTES;
        long step = CHUNK / type.blockElements() * type.blockBytes();
        LongStream.range(0, (all + CHUNK - 1) / CHUNK)
                .parallel()
                .forEach(chunk -> {
                    long from = chunk * CHUNK;
                    long elements = Math.min(CHUNK, all - from);
                    Quantizer.quantize(
                            type,
                            floats.asSlice(4 * from, 4 * elements),
                            blocks.asSlice(
                                    chunk * step,
                                    elements / type.blockElements() * type.blockBytes()));
                });
    }

    private Tensor changed(String name, String source) {
        Tensor tensor = model.tensor(source);
        if (architecture.isTransposed(name)) {
            return tensor.t();
        }
        if (architecture.isLessOne(name)) {
            return Conversion.convert(source, tensor, DType.F32).add(new Scalar(1f));
        }
        if (!architecture.isPermuted(name)) {
            return tensor;
        }
        long heads = name.contains(".attn_q.") ? shape.heads() : shape.kvHeads();
        return RopeOrder.neighbours(tensor, heads, model.folder() + ": " + source);
    }

    /** In the innermost scope of the caller. */
    private MemorySegment divisors(String name) {
        List<Double> divisors =
                RopeScaling.divisors(architecture, shape).getOrDefault(name, List.of());
        float[] floats = new float[divisors.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = divisors.get(i).floatValue();
        }
        return Tensors.segment(Tensors.floats(floats, floats.length));
    }
}
