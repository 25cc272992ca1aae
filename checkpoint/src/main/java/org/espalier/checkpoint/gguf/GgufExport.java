package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Conversion;
import org.espalier.checkpoint.DType;
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

    private final Checkpoint model;
    private final GgufShape shape;
    private final Architecture architecture;
    private final ExportPlan plan;
    private final Map<String, GgufValue> metadata;
    private final List<String> tokenizerLosses = new ArrayList<>();
    private final LongAdder zerosBefore = new LongAdder();
    private final LongAdder zerosAfter = new LongAdder();
    private final LongAdder weights = new LongAdder();

    /**
     * What was written.
     *
     * @param bytesByType bytes of the tensors by type
     * @param zerosBefore fraction of zeros in the matrices of the blocks as the checkpoint has them
     * @param zerosAfter the same as the file has them
     */
    public record Written(Map<String, Long> bytesByType, double zerosBefore, double zerosAfter) {
        public Written {
            bytesByType = Collections.unmodifiableMap(new TreeMap<>(bytesByType));
        }
    }

    /**
     * Plans a file; whatever cannot be said in GGUF is a {@link UserError}.
     *
     * @param model the checkpoint, folder or GGUF file
     * @param shape its numbers
     * @param unread names of tensors of the checkpoint that are no part of the network; they are left out
     */
    public GgufExport(Checkpoint model, GgufShape shape, GgufFileType type, Set<String> unread) {
        this.model = model;
        this.shape = shape;
        this.architecture = Architecture.ofFamily(shape.family());
        this.plan = new ExportPlan(model, shape, type, unread);
        this.metadata = ExportMetadata.of(architecture, shape, type);
        if (model.hasTokenizer()) {
            ObjectNode json = model.tokenizer().json();
            metadata.putAll(
                    ExportTokenizer.of(
                            String.valueOf(model.folder()),
                            json,
                            model.tokenizer(),
                            shape.vocabulary(),
                            tokenizerLosses::add));
            metadata.putAll(ChatTemplates.of(model));
        } else {
            metadata.put("tokenizer.ggml.model", new GgufValue.Text("none"));
        }
    }

    /** What the file will not have of the checkpoint, a sentence each. To know it all weights may have to be read. */
    public List<String> losses(Progress progress) {
        boolean hasVocabulary = metadata.containsKey("tokenizer.ggml.tokens");
        List<String> losses = new ArrayList<>(tokenizerLosses);
        losses.addAll(new ExportLosses(model, shape, plan, hasVocabulary).sentences(progress));
        return losses;
    }

    /**
     * Writes the file.
     *
     * @param out the file to make; must not exist
     */
    public Written write(Path out, Progress progress) {
        Map<String, Long> bytes = new TreeMap<>();
        List<GgufSpec> specs = plan.specs();
        try (GgufWriter writer = GgufWriter.create(out, metadata, specs)) {
            for (int i = 0; i < specs.size(); i++) {
                progress.step("writing tensor", i, specs.size());
                GgufSpec spec = specs.get(i);
                write(writer, spec);
                bytes.merge(spec.type().name(), spec.bytes(), Long::sum);
            }
            progress.step("writing tensor", specs.size(), specs.size());
            writer.commit();
        }
        double all = Math.max(1, weights.sum());
        return new Written(bytes, zerosBefore.sum() / all, zerosAfter.sum() / all);
    }

    private void write(GgufWriter writer, GgufSpec spec) {
        List<String> parts = plan.sources(spec);
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
        boolean counted = ExportLosses.isBlockMatrix(spec);
        if (counted) {
            weights.add(tensor.numel());
            zerosBefore.add(ExportLosses.zeros(tensor));
        }
        DType plain =
                switch (spec.type()) {
                    case F32 -> DType.F32;
                    case F16 -> DType.F16;
                    case BF16 -> DType.BF16;
                    default -> null;
                };
        if (plain != null) {
            Tensor converted = Conversion.convert(source, tensor, plain);
            if (counted) {
                zerosAfter.add(ExportLosses.zeros(converted));
            }
            return Tensors.segment(converted);
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
        long zeros = quantize(spec.type(), Tensors.segment(floats), Tensors.segment(blocks));
        if (counted) {
            zerosAfter.add(zeros);
        }
        return Tensors.segment(blocks);
    }

    /**
     * Blocks do not depend on each other, so the number of threads does not show in the bytes.
     *
     * @return how many zeros come out again
     */
    private static long quantize(GgufType type, MemorySegment floats, MemorySegment blocks) {
        long all = floats.byteSize() / Float.BYTES;
        long step = CHUNK / type.blockElements() * type.blockBytes();
        return LongStream.range(0, (all + CHUNK - 1) / CHUNK)
                .parallel()
                .map(chunk -> {
                    long from = chunk * CHUNK;
                    long elements = Math.min(CHUNK, all - from);
                    MemorySegment own =
                            blocks.asSlice(
                                    chunk * step,
                                    elements / type.blockElements() * type.blockBytes());
                    Quantizer.quantize(type, floats.asSlice(4 * from, 4 * elements), own);
                    return zeros(type, own, (int) elements);
                })
                .sum();
    }

    private static long zeros(GgufType type, MemorySegment blocks, int elements) {
        float[] values = new float[elements];
        Dequantizer.dequantize(type, blocks, MemorySegment.ofArray(values));
        long zeros = 0;
        for (float value : values) {
            zeros += value == 0 ? 1 : 0;
        }
        return zeros;
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
