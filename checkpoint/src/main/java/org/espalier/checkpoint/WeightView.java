package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * The weights of a folder as a reader sees them: codes with their scales as the numbers that they stand for, and a
 * configuration that says nothing of a quantization which the weights then no longer have.
 *
 * @param packed the tensors that must be made from others; null where all lie there in full
 * @param tensors all tensors by name, shard after shard
 * @param config the configuration that fits these tensors
 * @param codes the format of weights that cannot be read as numbers; null where all can
 * @param unquantized whether the folder speaks of a quantization that these tensors do not have
 * @param notes what was odd, a sentence each
 */
record WeightView(
        @Nullable PackedTensors packed,
        Map<String, TensorInfo> tensors,
        ObjectNode config,
        @Nullable String codes,
        boolean unquantized,
        List<String> notes) {
    static WeightView of(ModelFolder folder, ObjectNode raw, Shards shards) {
        List<String> notes = new ArrayList<>(shards.notes());
        PackedTensors packed = shards.packed();
        boolean scaled = false;
        if (packed == null) {
            ScaledTensors scales = ScaledTensors.of(shards.owners(), raw);
            if (scales != null) {
                packed = scales;
                scaled = true;
                notes.add(scales.describe());
            }
        }
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        if (packed == null) {
            shards.files().values().forEach(file -> file.tensors().forEach(tensors::putIfAbsent));
        } else {
            tensors.putAll(packed.tensors());
        }
        String said = QuantizationRecord.format(raw, folder);
        String codes = CodedWeights.find(tensors.values(), said);
        boolean unquantized = codes == null && (scaled || said != null);
        if (unquantized && !scaled) {
            notes.add(
                    "a quantization is named ("
                            + said
                            + "), but no weight is stored as codes; the weights are read as they are, and what is"
                            + " written does not name it");
        }
        return new WeightView(
                packed,
                Collections.unmodifiableMap(tensors),
                unquantized ? QuantizationRecord.without(raw) : raw,
                codes,
                unquantized,
                notes);
    }
}
