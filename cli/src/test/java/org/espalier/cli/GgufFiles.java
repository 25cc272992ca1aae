package org.espalier.cli;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.espalier.checkpoint.gguf.GgufFile;
import org.espalier.checkpoint.gguf.GgufSpec;
import org.espalier.checkpoint.gguf.GgufTensor;
import org.espalier.checkpoint.gguf.GgufType;
import org.espalier.checkpoint.gguf.GgufValue;
import org.espalier.checkpoint.gguf.GgufWriter;

/** Other GGUF files made of one. */
final class GgufFiles {
    private GgufFiles() {}

    /** An F32 file whose matrices ggml itself has quantized, each to the next type that is supplied. */
    static Path quantized(Path file, Supplier<GgufType> types, Path out) {
        return rewritten(
                file,
                out,
                tensor -> tensor.extents().size() < 2 ? tensor : quantized(tensor, types.get()),
                values -> values);
    }

    private static Content quantized(Content tensor, GgufType type) {
        byte[] blocks = LlamaLibrary.quantize(type, floats(tensor.bytes()), tensor.rows());
        return new Content(tensor.name(), type, tensor.extents(), blocks);
    }

    /**
     * A tensor and its bytes.
     *
     * @param extents fastest first
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Content(String name, GgufType type, List<Long> extents, byte[] bytes) {
        int rows() {
            return (int) (extents.stream().reduce(1L, Math::multiplyExact) / extents.getFirst());
        }
    }

    /** A file with other tensors and other metadata. */
    static Path rewritten(
            Path file,
            Path out,
            UnaryOperator<Content> tensors,
            UnaryOperator<Map<String, GgufValue>> metadata) {
        List<Content> contents = contents(file).stream().map(tensors).toList();
        return write(out, metadata.apply(metadata(file)), contents);
    }

    /** The metadata of a file, to be changed. */
    static Map<String, GgufValue> metadata(Path file) {
        try (GgufFile source = GgufFile.open(file)) {
            return new LinkedHashMap<>(source.metadata());
        }
    }

    /** The tensors of a file. */
    static List<Content> contents(Path file) {
        List<Content> contents = new ArrayList<>();
        try (GgufFile source = GgufFile.open(file)) {
            for (GgufTensor tensor : source.tensors().values()) {
                byte[] bytes = source.segment(tensor.name()).toArray(ValueLayout.JAVA_BYTE);
                contents.add(new Content(tensor.name(), tensor.type(), tensor.extents(), bytes));
            }
        }
        return contents;
    }

    static Path write(Path out, Map<String, GgufValue> metadata, List<Content> contents) {
        List<GgufSpec> plan =
                contents.stream()
                        .map(tensor -> new GgufSpec(tensor.name(), tensor.type(), tensor.extents()))
                        .toList();
        try (GgufWriter writer = GgufWriter.create(out, metadata, plan)) {
            for (Content tensor : contents) {
                writer.write(tensor.name(), MemorySegment.ofArray(tensor.bytes()));
            }
            writer.commit();
        }
        return out;
    }

    private static float[] floats(byte[] bytes) {
        float[] values = new float[bytes.length / Float.BYTES];
        MemorySegment.copy(
                MemorySegment.ofArray(bytes),
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                0,
                values,
                0,
                values.length);
        return values;
    }
}
