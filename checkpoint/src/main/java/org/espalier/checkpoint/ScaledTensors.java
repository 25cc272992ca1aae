package org.espalier.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Matrices of FP8 or int8 numbers with a float scale for each tensor, row or block beside them, seen as what they stand
 * for: number times scale, in the plain type that the model computes in. The scale of {@code P.weight} is
 * {@code P.weight_scale} (NVIDIA ModelOpt, compressed-tensors, FBGEMM) or {@code P.weight_scale_inv} (DeepSeek), which is
 * multiplied with in the same way, whatever its name.
 */
final class ScaledTensors implements PackedTensors {
    private static final String WEIGHT = ".weight";
    private static final List<String> SCALES = List.of("_scale_inv", "_scale");

    /** Scales of activations and of the cache; they say nothing of the weights. */
    private static final List<String> OTHER_SCALES =
            List.of(
                    ".input_scale",
                    ".output_scale",
                    ".k_scale",
                    ".v_scale",
                    ".q_scale",
                    ".kv_scale");

    /** The block of DeepSeek, whose name config.json may leave out. */
    private static final long USUAL_BLOCK = 128;

    /** Rows converted at once. */
    private static final long ROWS = 256;

    private final Map<String, WeightFile> owners;
    private final Map<String, Scaled> scaled = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final DType target;

    /**
     * A matrix with its scales.
     *
     * @param info the matrix as it is stored
     * @param scale name of its scales
     * @param rows rows of scales
     * @param columns columns of scales
     * @param blockRows rows that share a scale
     * @param blockColumns columns that share one
     */
    private record Scaled(
            TensorInfo info,
            String scale,
            long rows,
            long columns,
            long blockRows,
            long blockColumns) {}

    private ScaledTensors(Map<String, WeightFile> owners, ObjectNode config) {
        this.owners = owners;
        this.target = plainType(owners, config);
        long @Nullable [] blocks = QuantizationRecord.blocks(config);
        for (String name : owners.keySet()) {
            Scaled matrix = name.endsWith(WEIGHT) ? scaled(name, blocks) : null;
            if (matrix != null) {
                scaled.put(name, matrix);
            }
        }
        owners.keySet().stream().filter(name -> !isScale(name)).forEach(this::show);
    }

    /** The view of files some of whose matrices have scales; null where none has. */
    static @Nullable ScaledTensors of(Map<String, WeightFile> owners, ObjectNode config) {
        ScaledTensors view = new ScaledTensors(owners, config);
        return view.scaled.isEmpty() ? null : view;
    }

    /** What was made of what, for people. */
    String describe() {
        long dropped = (long) owners.size() - tensors.size() - scaled.size();
        Map<String, Integer> types = new TreeMap<>();
        scaled.values()
                .forEach(matrix -> types.merge(matrix.info().dtype().name(), 1, Integer::sum));
        return scaled.size()
                + " matrices of "
                + String.join(" and ", types.keySet())
                + " are read with their scales as "
                + target
                + "; what is written of them is "
                + target
                + " without scales"
                + (dropped == 0 ? "" : " (" + dropped + " scales of activations are left out too)");
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public boolean isPacked(String name) {
        return scaled.containsKey(name);
    }

    @Override
    public Map<String, Long> bytesByType() {
        Map<String, Long> bytes = new TreeMap<>();
        owners.forEach((name, file) -> {
            TensorInfo info = stored(name);
            bytes.merge(info.dtype().name(), info.bytes(), Long::sum);
        });
        return bytes;
    }

    @Override
    public Tensor expand(String name) {
        Scaled matrix = scaled.get(name);
        WeightFile file = owners.get(name);
        WeightFile scales = matrix == null ? null : owners.get(matrix.scale());
        if (matrix == null || file == null || scales == null) {
            throw new IllegalArgumentException(name + " has no scales");
        }
        ScalarType type = target.scalarType().orElseThrow();
        Tensor result = torch.empty(matrix.info().dimensions(), Tensors.options(type), null);
        try (PointerScope scope = new PointerScope()) {
            Tensor codes = file.tensor(name);
            Tensor factors =
                    scales.tensor(matrix.scale())
                            .to(ScalarType.Float)
                            .reshape(matrix.rows(), matrix.columns());
            requireUsable(matrix, factors, scales);
            long all = matrix.info().shape().getFirst();
            long step = matrix.blockRows() == 1 ? ROWS : Math.min(ROWS, matrix.blockRows());
            for (long row = 0; row < all; ) {
                long left =
                        matrix.blockRows() == 1
                                ? all - row
                                : matrix.blockRows() - row % matrix.blockRows();
                long count = Math.min(Math.min(step, left), all - row);
                expand(matrix, codes, factors, result, row, count);
                row += count;
            }
        }
        file.unload(name);
        scales.unload(matrix.scale());
        return result;
    }

    /** Rows of one block, or of as many blocks where each row has scales of its own. */
    private void expand(
            Scaled matrix, Tensor codes, Tensor factors, Tensor result, long row, long count) {
        try (PointerScope scope = new PointerScope()) {
            long rows = matrix.blockRows() == 1 ? count : 1;
            long width = matrix.info().shape().getLast();
            Tensor own = factors.narrow(0, row / matrix.blockRows(), rows);
            Tensor wide =
                    matrix.columns() == 1
                            ? own
                            : own.repeat_interleave(
                                            matrix.blockColumns(),
                                            new org.bytedeco.pytorch.LongOptional(1),
                                            new org.bytedeco.pytorch.LongOptional())
                                    .narrow(1, 0, width);
            Tensor plain = codes.narrow(0, row, count).to(ScalarType.Float).mul(wide);
            result.narrow(0, row, count)
                    .copy_(Conversion.convert(matrix.info().name(), plain, target));
        }
    }

    private static void requireUsable(Scaled matrix, Tensor factors, WeightFile file) {
        if (!factors.isfinite().all().item_bool()) {
            throw new UserError(
                    "tensor "
                            + Text.quote(matrix.scale())
                            + " in "
                            + file.path()
                            + " holds scales that are no numbers or infinite; get the checkpoint again");
        }
    }

    private @Nullable Scaled scaled(String name, long @Nullable [] blocks) {
        TensorInfo info = stored(name);
        boolean coded =
                switch (info.dtype()) {
                    case F8_E4M3, F8_E5M2, I8 -> info.shape().size() == 2 && info.elements() > 0;
                    default -> false;
                };
        if (!coded || isShifted(name)) {
            return null;
        }
        for (String ending : SCALES) {
            if (owners.containsKey(name + ending)) {
                return scaled(info, stored(name + ending), blocks);
            }
        }
        return null;
    }

    /** Zero points, scales of the inputs that must be divided out, second scales: more than a product. */
    private boolean isShifted(String name) {
        String module = name.substring(0, name.length() - WEIGHT.length());
        return owners.containsKey(name + "_zero_point")
                || owners.containsKey(name + "_scale_2")
                || owners.containsKey(module + ".pre_quant_scale")
                || owners.containsKey(module + ".SCB");
    }

    /** Null where the scales do not say which numbers they are for. */
    private static @Nullable Scaled scaled(
            TensorInfo info, TensorInfo scale, long @Nullable [] blocks) {
        boolean number =
                switch (scale.dtype()) {
                    case F32, F16, BF16, F64, F8_E8M0 -> scale.elements() > 0;
                    default -> false;
                };
        if (!number) {
            return null;
        }
        long height = info.shape().getFirst();
        long width = info.shape().getLast();
        List<Long> shape = scale.shape().stream().filter(extent -> extent != 1).toList();
        if (shape.isEmpty()) {
            return new Scaled(info, scale.name(), 1, 1, height, width);
        }
        if (shape.equals(List.of(height)) && scale.shape().getFirst() != 1) {
            return new Scaled(info, scale.name(), height, 1, 1, width);
        }
        if (scale.shape().size() != 2) {
            return null;
        }
        long rows = scale.shape().getFirst();
        long columns = scale.shape().getLast();
        long blockRows = block(height, rows, blocks == null ? 0 : blocks[0]);
        long blockColumns = block(width, columns, blocks == null ? 0 : blocks[1]);
        return blockRows == 0 || blockColumns == 0
                ? null
                : new Scaled(info, scale.name(), rows, columns, blockRows, blockColumns);
    }

    /** How many of {@code size} share one of {@code count} scales; 0 where nothing fits. */
    private static long block(long size, long count, long said) {
        for (long block : new long[] {said, USUAL_BLOCK}) {
            if (block > 0 && (size + block - 1) / block == count) {
                return block;
            }
        }
        return size % count == 0 ? size / count : 0;
    }

    private boolean isScale(String name) {
        for (String ending : SCALES) {
            if (name.endsWith(ending)
                    && scaled.containsKey(name.substring(0, name.length() - ending.length()))) {
                return true;
            }
        }
        return !scaled.isEmpty() && OTHER_SCALES.stream().anyMatch(name::endsWith);
    }

    private void show(String name) {
        TensorInfo info = stored(name);
        if (scaled.containsKey(name)) {
            long bytes = Math.multiplyExact(info.elements(), target.bits() / 8);
            info = new TensorInfo(name, target, info.shape(), 0, bytes);
        }
        tensors.put(name, info);
    }

    private TensorInfo stored(String name) {
        WeightFile file = owners.get(name);
        TensorInfo info = file == null ? null : file.tensors().get(name);
        if (info == null) {
            throw new IllegalArgumentException("no tensor " + name);
        }
        return info;
    }

    /** The type of the numbers that are no codes, as config.json has it; most such models are of bfloat16. */
    private static DType plainType(Map<String, WeightFile> owners, ObjectNode config) {
        for (String key : List.of("dtype", "torch_dtype")) {
            for (DType type : List.of(DType.BF16, DType.F16, DType.F32)) {
                boolean named =
                        config.path(key).asString("").equals(type.configName())
                                || config.path("text_config")
                                        .path(key)
                                        .asString("")
                                        .equals(type.configName());
                if (named) {
                    return type;
                }
            }
        }
        return owners.values().stream()
                .flatMap(file -> file.tensors().values().stream())
                .filter(info -> info.shape().size() == 2)
                .filter(info -> SCALES.stream().noneMatch(info.name()::endsWith))
                .map(TensorInfo::dtype)
                .filter(DType::isConvertible)
                .findFirst()
                .orElse(DType.BF16);
    }
}
