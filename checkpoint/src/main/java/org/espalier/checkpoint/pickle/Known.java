package org.espalier.checkpoint.pickle;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The names of Python that a state dict uses (torch/_utils.py, torch/serialization.py). Every other name is refused:
 * whoever looks one up in Python and calls it can be made to call anything.
 */
final class Known {
    private static final Map<String, Object> NAMES = names();

    private Known() {}

    /**
     * A class of storages.
     *
     * @param type its elements; null for bare bytes
     */
    record StorageClass(@Nullable ElementType type) {}

    /** Classes that only stand as arguments. */
    enum TensorClass {
        TENSOR,
        PARAMETER
    }

    /** What stands for a name: a {@link Call}, a {@link StorageClass}, an {@link ElementType} or a {@link TensorClass}. */
    static Object of(String module, String name) {
        String full = module + "." + name;
        Object known = NAMES.get(full);
        if (known == null) {
            throw new PickleFault(
                    "wants to call ",
                    full,
                    ", and nothing but tensors is taken from such a file; do not load it with"
                            + " another tool either unless you trust it, and get the weights as"
                            + " safetensors or save the model's state_dict alone");
        }
        return known;
    }

    private static Map<String, Object> names() {
        Map<String, Object> names = new HashMap<>();
        names.put("collections.OrderedDict", Call.ORDERED_DICT);
        names.put("torch.Size", Call.SIZE);
        names.put("torch.device", Call.DEVICE);
        names.put("_codecs.encode", Call.BYTES);
        for (String builtins : new String[] {"builtins", "__builtin__"}) {
            names.put(builtins + ".bytearray", Call.BYTES);
            names.put(builtins + ".set", Call.SET);
            names.put(builtins + ".frozenset", Call.SET);
        }
        names.put("torch._utils._rebuild_tensor", Call.TENSOR);
        names.put("torch._utils._rebuild_tensor_v2", Call.TENSOR_V2);
        names.put("torch._utils._rebuild_tensor_v3", Call.TENSOR_V3);
        names.put("torch._utils._rebuild_parameter", Call.PARAMETER);
        names.put("torch._utils._rebuild_parameter_with_state", Call.PARAMETER);
        names.put("torch._tensor._rebuild_from_type_v2", Call.FROM_TYPE);
        names.put("torch.jit._pickle.restore_type_tag", Call.TYPE_TAG);
        names.put("torch.Tensor", TensorClass.TENSOR);
        names.put("torch.nn.parameter.Parameter", TensorClass.PARAMETER);
        for (ElementType type : ElementType.values()) {
            names.put("torch." + type.dtype(), type);
            if (type.storageClass() != null) {
                names.put("torch." + type.storageClass(), new StorageClass(type));
            }
        }
        StorageClass untyped = new StorageClass(null);
        names.put("torch.storage.UntypedStorage", untyped);
        names.put("torch.storage._UntypedStorage", untyped);
        names.put("torch.UntypedStorage", untyped);
        return Map.copyOf(names);
    }
}
