package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A safetensors file some of whose matrices are stored as {@link Bitmask}, seen as the tensors that it stands for. The
 * layout is in docs/bitmask.md.
 */
final class BitmaskFile implements PackedTensors {
    /** Another name than model.safetensors, so that no other tool takes masks for weights. */
    static final String NAME = "model.bitmask.safetensors";

    /** The entry of the metadata that gives the version and the shapes. */
    static final String KEY = "espalier.bitmask";

    static final int VERSION = 1;
    static final String MASK = ".bitmask";
    static final String VALUES = ".values";

    private final SafetensorsFile file;
    private final Map<String, TensorInfo> packed = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    /** Checks everything that the header tells; the bits are looked at when they are used. */
    BitmaskFile(SafetensorsFile file) {
        this.file = file;
        tensors.putAll(file.tensors());
        for (Map.Entry<String, JsonNode> entry : shapes().properties()) {
            add(entry.getKey(), entry.getValue());
        }
        tensors.putAll(packed);
    }

    /** All tensors by name, without masks and values; offsets mean nothing for packed ones. */
    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public boolean isPacked(String name) {
        return packed.containsKey(name);
    }

    /** Expands a packed tensor, in the innermost scope of the caller; bits that do not fit are a {@link UserError}. */
    @Override
    public Tensor expand(String name) {
        TensorInfo info = packed.get(name);
        if (info == null) {
            throw new IllegalArgumentException(name + " is not packed");
        }
        long columns = info.shape().getLast();
        MemorySegment mask = file.segment(name + MASK);
        long values = values(name).elements();
        if (Bitmask.hasStrayBits(mask, columns)) {
            throw wrong(name, "has a bit set beyond the last of its " + columns + " columns");
        }
        long bits = Bitmask.population(mask);
        if (bits != values) {
            throw wrong(name, "has " + bits + " bits set but " + values + " values");
        }
        Tensor tensor =
                torch.empty(
                        info.dimensions(),
                        Tensors.options(info.dtype().scalarType().orElseThrow()),
                        null);
        MemorySegment dense = Tensors.segment(tensor).fill((byte) 0);
        Bitmask.unpack(mask, file.segment(name + VALUES), info.dtype().bits() / 8, columns, dense);
        file.unload(name + MASK);
        file.unload(name + VALUES);
        return tensor;
    }

    /** Bytes by type as they are stored; masks apart. */
    @Override
    public Map<String, Long> bytesByType() {
        Map<String, Long> bytes = new TreeMap<>();
        for (TensorInfo tensor : file.tensors().values()) {
            boolean mask =
                    tensor.name().endsWith(MASK)
                            && packed.containsKey(
                                    tensor.name()
                                            .substring(0, tensor.name().length() - MASK.length()));
            bytes.merge(mask ? "bitmask" : tensor.dtype().name(), tensor.bytes(), Long::sum);
        }
        return bytes;
    }

    private ObjectNode shapes() {
        String text = file.metadata().get(KEY);
        JsonNode json;
        try {
            json = text == null ? null : Json.MAPPER.readTree(text);
        } catch (JacksonException | NumberFormatException e) {
            throw new UserError(
                    file.path() + ": metadata " + KEY + " is not JSON; make the file again", e);
        }
        if (json != null
                && json.path("version").isNumber()
                && json.path("version").asInt(0) != VERSION) {
            throw new UserError(
                    file.path()
                            + " is of version "
                            + json.get("version")
                            + " of the bitmask layout, of which "
                            + VERSION
                            + " is known here; use a newer Espalier");
        }
        if (json == null
                || !json.path("version").isNumber()
                || !(json.get("shapes") instanceof ObjectNode shapes)) {
            throw new UserError(
                    file.path()
                            + " has no metadata "
                            + KEY
                            + " with a version and shapes; make it again with export --type bitmask");
        }
        return shapes;
    }

    private void add(String name, JsonNode shape) {
        if (shape.size() != 2 || !isSize(shape.get(0)) || !isSize(shape.get(1))) {
            throw wrong(
                    name, "has the shape " + Text.line(shape.toString()) + ", which is no matrix");
        }
        long rows = shape.get(0).longValue();
        long columns = shape.get(1).longValue();
        if (file.tensors().containsKey(name)) {
            throw wrong(name, "is stored twice, packed and as it is");
        }
        TensorInfo mask = tensors.remove(name + MASK);
        TensorInfo values = values(name);
        if (mask == null || mask.dtype() != DType.U8) {
            throw wrong(name, "has no mask " + Text.quote(name + MASK) + " of type U8");
        }
        List<Long> expected = List.of(rows, Bitmask.rowBytes(columns));
        if (!mask.shape().equals(expected)) {
            throw wrong(name, "has a mask of shape " + mask.shape() + " instead of " + expected);
        }
        if (values.shape().size() != 1 || !values.dtype().isFloating()) {
            throw wrong(
                    name, "has values of shape " + values.shape() + " and type " + values.dtype());
        }
        tensors.remove(name + VALUES);
        packed.put(
                name,
                new TensorInfo(
                        name,
                        values.dtype(),
                        List.of(rows, columns),
                        0,
                        bytes(name, values, rows, columns)));
    }

    private long bytes(String name, TensorInfo values, long rows, long columns) {
        try {
            long elements = Math.multiplyExact(rows, columns);
            return Math.multiplyExact(elements, values.dtype().bits() / 8);
        } catch (ArithmeticException e) {
            UserError error = wrong(name, "has a size beyond 64 bits, " + rows + " x " + columns);
            error.initCause(e);
            throw error;
        }
    }

    private TensorInfo values(String name) {
        @Nullable TensorInfo values = file.tensors().get(name + VALUES);
        if (values == null) {
            throw wrong(name, "has no values " + Text.quote(name + VALUES));
        }
        return values;
    }

    private static boolean isSize(JsonNode size) {
        return size.isIntegralNumber() && size.canConvertToLong() && size.longValue() > 0;
    }

    private UserError wrong(String name, String what) {
        return new UserError(
                file.path()
                        + ": packed tensor "
                        + Text.quote(name)
                        + " "
                        + what
                        + "; make the file again with export --type bitmask");
    }
}
