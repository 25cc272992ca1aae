package org.espalier.audit.verify;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.audit.receipt.LayerEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.core.progress.Progress;

/**
 * Compares the pruned model with the dense one, tensor by tensor: what is not pruned is the same to the bit, and so are
 * surviving weights where the recipe leaves them alone; both once the dense ones are rounded to the dtype of the result.
 */
final class SourceCheck {
    private static final Set<String> ONLY_REMOVING_REPAIRS =
            Set.of("none", "dsnot", "mean-to-bias");

    private final Receipt receipt;
    private final Checkpoint dense;
    private final Checkpoint pruned;
    private final Progress progress;
    private final List<String> differences = new ArrayList<>();
    private final List<String> unchecked = new ArrayList<>();
    private int untouched;
    private int survivors;

    SourceCheck(Receipt receipt, Checkpoint dense, Checkpoint pruned, Progress progress) {
        this.receipt = receipt;
        this.dense = dense;
        this.pruned = pruned;
        this.progress = progress;
    }

    List<String> differences() {
        return differences;
    }

    List<String> checked() {
        String rounded = receipt.dtype().equals("auto") ? "" : ", rounded to " + receipt.dtype();
        List<String> checked = new ArrayList<>();
        checked.add(untouched + " other tensors are those of the dense model" + rounded);
        if (survivors > 0) {
            checked.add("so are the surviving weights of " + survivors + " matrices");
        }
        return checked;
    }

    List<String> unchecked() {
        return unchecked;
    }

    void run() {
        Map<String, LayerEntry> layers = new HashMap<>();
        Set<String> changedBiases = new HashSet<>();
        for (LayerEntry layer : receipt.layers()) {
            layers.put(layer.name() + ".weight", layer);
            if (layer.biasChanged()) {
                changedBiases.add(layer.name() + ".bias");
            }
        }
        int done = 0;
        for (String name : dense.tensors().keySet()) {
            progress.step("comparing tensor", done++, dense.tensors().size());
            LayerEntry layer = layers.get(name);
            if (!pruned.contains(name)) {
                if (dense.otherNames(name).stream().noneMatch(pruned::contains)) {
                    differences.add(pruned.folder() + " lacks the tensor " + name);
                }
            } else if (layer != null) {
                matrix(name, layer);
            } else if (!changedBiases.contains(name)) {
                untouched++;
                TensorCheck.identical(dense, pruned, name, expected(name))
                        .ifPresent(differences::add);
            }
        }
        progress.step("comparing tensor", done, Math.max(1, done));
        pruned.tensors().keySet().stream()
                .filter(name -> !dense.contains(name) && !changedBiases.contains(name))
                .forEach(name -> differences.add(name + " is not in the dense model"));
        if (!onlyRemoves()) {
            unchecked.add(
                    "the surviving weights: "
                            + solver()
                            + " gives them values of its own, which come with pruning the dense model again");
        }
        if (!changedBiases.isEmpty()) {
            unchecked.add(
                    "the biases of "
                            + changedBiases.size()
                            + " matrices, which "
                            + method("repair")
                            + " changed");
        }
    }

    private void matrix(String name, LayerEntry layer) {
        TensorCheck.zeros(dense, name, layer.zerosBefore()).ifPresent(differences::add);
        if (onlyRemoves()) {
            survivors++;
            TensorCheck.survivors(dense, pruned, name, expected(name)).ifPresent(differences::add);
        }
    }

    /** The dtype that a tensor must have in the result. */
    private DType expected(String name) {
        DType own = dense.dtype(name);
        return receipt.dtype().equals("auto") || !own.isConvertible()
                ? own
                : DType.ofConfigName(receipt.dtype());
    }

    /** Whether the recipe takes weights away and changes none of the others. */
    private boolean onlyRemoves() {
        return method("solver").equals("mask") && ONLY_REMOVING_REPAIRS.contains(method("repair"));
    }

    private String solver() {
        return method("solver").equals("mask") ? method("repair") : method("solver");
    }

    /** Method of a part of the recipe, which is a name or a map. */
    private String method(String part) {
        Object value = receipt.recipe().get(part);
        return String.valueOf(value instanceof Map<?, ?> map ? map.get("method") : value);
    }
}
