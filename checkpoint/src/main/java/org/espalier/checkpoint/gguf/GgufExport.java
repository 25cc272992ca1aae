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
import org.jspecify.annotations.Nullable;
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

    private final Checkpoint model;
    private final GgufShape shape;
    private final GgufFileType type;
    private final Architecture architecture;

    /** What a tensor of the file is made of; null for the divisors of the rope. */
    private final Map<String, @Nullable String> sources = new LinkedHashMap<>();

    private final List<GgufSpec> plan = new ArrayList<>();

    private GgufExport(Checkpoint model, GgufShape shape, GgufFileType type) {
        this.model = model;
        this.shape = shape;
        this.type = type;
        Architecture found = Architecture.ofFamily(shape.family());
        if (found == null) {
            throw new UserError(
                    "models of family "
                            + Text.quote(shape.family())
                            + " cannot be exported to GGUF yet; gpt2, llama, mistral, qwen2 and qwen3 can:"
                            + " export to safetensors, and use llama.cpp's own converter");
        }
        this.architecture = found;
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
        TypeMixture mixture =
                new TypeMixture(
                        type, shape.blocks(), hasOutput || architecture == Architecture.GPT2);
        for (String name : architecture.tensorNames(shape.blocks())) {
            String source = source(name);
            if (source == null) {
                continue;
            }
            left.remove(source);
            List<Long> extents =
                    new ArrayList<>(Arrays.stream(model.shape(source)).boxed().toList());
            if (!architecture.isTransposed(name)) {
                extents = extents.reversed();
            }
            plan.add(new GgufSpec(name, mixture.of(name, extents), extents));
            sources.put(name, source);
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
        List<Double> divisors = shape.ropeDivisors();
        if (divisors != null) {
            plan.add(
                    new GgufSpec(
                            RopeScaling.DIVISORS, GgufType.F32, List.of((long) divisors.size())));
            sources.put(RopeScaling.DIVISORS, null);
        }
    }

    /** The tensor of the checkpoint that becomes a tensor of the file; null where it has none. */
    private @Nullable String source(String name) {
        String source = architecture.tensor(name);
        if (source == null) {
            return null;
        }
        String bare = source.replaceFirst("^transformer\\.", "");
        if (!model.contains(source) && model.contains(bare)) {
            return bare;
        }
        if (name.equals("output.weight") && shape.tied()) {
            // GPT-2 gets a copy; elsewhere llama.cpp takes the embedding where there is no output
            // matrix.
            return architecture == Architecture.GPT2 ? source("token_embd.weight") : null;
        }
        return model.contains(source) ? source : null;
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
        String source = sources.get(spec.name());
        try (PointerScope scope = new PointerScope()) {
            if (source == null) {
                writer.write(spec.name(), divisors());
                return;
            }
            Tensor tensor = changed(spec.name(), source);
            DType plain =
                    switch (spec.type()) {
                        case F32 -> DType.F32;
                        case F16 -> DType.F16;
                        case BF16 -> DType.BF16;
                        default -> null;
                    };
            if (plain != null) {
                Tensor converted = Conversion.convert(source, tensor, plain);
                writer.write(spec.name(), Tensors.segment(converted));
                return;
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
            Tensor blocks =
                    torch.empty(new long[] {spec.bytes()}, Tensors.options(ScalarType.Byte), null);
            quantize(spec, Tensors.segment(floats), Tensors.segment(blocks));
            writer.write(spec.name(), Tensors.segment(blocks));
        }
    }

    /** Blocks do not depend on each other, so the number of threads does not show in the bytes. */
    private static void quantize(GgufSpec spec, MemorySegment floats, MemorySegment blocks) {
        GgufType type = spec.type();
        long step = CHUNK / type.blockElements() * type.blockBytes();
        LongStream.range(0, (spec.elements() + CHUNK - 1) / CHUNK)
                .parallel()
                .forEach(chunk -> {
                    long from = chunk * CHUNK;
                    long elements = Math.min(CHUNK, spec.elements() - from);
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
        if (!architecture.isPermuted(name)) {
            return tensor;
        }
        long heads = name.contains(".attn_q.") ? shape.heads() : shape.kvHeads();
        return RopeOrder.neighbours(tensor, heads, model.folder() + ": " + source);
    }

    /** In the innermost scope of the caller. */
    private MemorySegment divisors() {
        List<Double> divisors = shape.ropeDivisors() == null ? List.of() : shape.ropeDivisors();
        float[] floats = new float[divisors.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = divisors.get(i).floatValue();
        }
        return Tensors.segment(Tensors.floats(floats, floats.length));
    }
}
