package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a checkpoint with its pruned matrices as {@link Bitmask}, losing nothing: expanding it gives every bit back.
 * Matrices that would not become smaller, and everything that is no matrix of floating numbers, stay as they are. One
 * tensor at a time is in memory, read twice.
 */
public final class BitmaskWriter {
    /**
     * What was written.
     *
     * @param packed number of tensors that became smaller
     * @param before bytes of all tensors as they are
     * @param after bytes of all tensors, masks included, as they are stored now
     */
    public record Result(int packed, long before, long after) {}

    private final Checkpoint source;
    private final List<TensorSpec> plan = new ArrayList<>();
    private final Map<String, TensorInfo> packed = new LinkedHashMap<>();

    private BitmaskWriter(Checkpoint source) {
        this.source = source;
    }

    /**
     * Writes a folder with one weight file; it appears whole or not at all.
     *
     * @param source any checkpoint, itself packed or not
     * @param out the folder to make; may exist when it is empty, must not lie within the source
     */
    public static Result write(Checkpoint source, Path out, Progress progress) {
        return new BitmaskWriter(source).write(out, progress);
    }

    private Result write(Path out, Progress progress) {
        SideFiles.check(source);
        try (OutputFolder folder = OutputFolder.open(source.folder(), out)) {
            folder.clear();
            int done = 0;
            for (TensorInfo info : source.tensors().values()) {
                progress.step("counting zeros of tensor", done++, source.tensors().size());
                plan(info);
            }
            SideFiles.copy(source, folder);
            byte[] config = source.isUnquantized() ? null : source.sideFile(ModelFolder.CONFIG);
            folder.write(
                    ModelFolder.CONFIG,
                    config == null ? Json.pretty(CheckpointWriter.namedConfig(source)) : config);
            try (SafetensorsWriter writer =
                    SafetensorsWriter.inPlace(folder.resolve(BitmaskFile.NAME), plan, metadata())) {
                done = 0;
                for (TensorInfo info : source.tensors().values()) {
                    progress.step("writing tensor", done++, source.tensors().size());
                    store(writer, info);
                }
                progress.step("writing tensor", done, done);
                writer.commit();
            }
            folder.commit();
        }
        long before = source.tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
        long after = plan.stream().mapToLong(TensorSpec::bytes).sum();
        return new Result(packed.size(), before, after);
    }

    private void plan(TensorInfo info) {
        String mask = info.name() + BitmaskFile.MASK;
        String values = info.name() + BitmaskFile.VALUES;
        boolean candidate =
                info.shape().size() == 2
                        && info.dtype().isFloating()
                        && !source.contains(mask)
                        && !source.contains(values);
        if (candidate) {
            int elementBytes = info.dtype().bits() / 8;
            long kept;
            try (PointerScope scope = new PointerScope()) {
                kept = Bitmask.kept(source.bytes(info.name()), elementBytes);
            }
            source.unload(info.name());
            List<Long> maskShape =
                    List.of(info.shape().getFirst(), Bitmask.rowBytes(info.shape().getLast()));
            long size = maskShape.getFirst() * maskShape.getLast() + kept * elementBytes;
            if (size < info.bytes()) {
                packed.put(info.name(), info);
                plan.add(new TensorSpec(mask, DType.U8, maskShape));
                plan.add(new TensorSpec(values, info.dtype(), List.of(kept)));
                return;
            }
        }
        plan.add(new TensorSpec(info.name(), info.dtype(), info.shape()));
    }

    private Map<String, String> metadata() {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("version", BitmaskFile.VERSION);
        ObjectNode shapes = json.putObject("shapes");
        packed.forEach((name, info) -> info.shape().forEach(shapes.withArray(name)::add));
        return Map.of(BitmaskFile.KEY, json.toString());
    }

    private void store(SafetensorsWriter writer, TensorInfo info) {
        String name = info.name();
        try (PointerScope scope = new PointerScope()) {
            MemorySegment dense = source.bytes(name);
            if (!packed.containsKey(name)) {
                writer.writeBytes(name, dense);
            } else {
                Map<String, TensorInfo> written = writer.tensors();
                MemorySegment mask = zeros(written.get(name + BitmaskFile.MASK));
                MemorySegment values = zeros(written.get(name + BitmaskFile.VALUES));
                Bitmask.pack(dense, info.dtype().bits() / 8, info.shape().getLast(), mask, values);
                writer.writeBytes(name + BitmaskFile.MASK, mask);
                writer.writeBytes(name + BitmaskFile.VALUES, values);
            }
        }
        source.unload(name);
    }

    private static MemorySegment zeros(@Nullable TensorInfo info) {
        if (info == null) {
            throw new IllegalStateException("what is packed is planned");
        }
        Tensor bytes =
                torch.empty(new long[] {info.bytes()}, Tensors.options(ScalarType.Byte), null);
        return Tensors.segment(bytes).fill((byte) 0);
    }
}
