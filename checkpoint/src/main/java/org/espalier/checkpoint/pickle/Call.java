package org.espalier.checkpoint.pickle;

import java.util.List;
import org.espalier.checkpoint.pickle.Values.Dict;
import org.espalier.checkpoint.pickle.Values.Items;
import org.espalier.checkpoint.pickle.Values.Plain;
import org.espalier.checkpoint.pickle.Values.Storage;
import org.espalier.checkpoint.pickle.Values.Tuple;
import org.espalier.checkpoint.pickle.Values.View;

/** The few functions that a state dict calls, and what each of them gives. */
enum Call {
    /** {@code OrderedDict()}, or with the pairs that Python 2 wrote. */
    ORDERED_DICT,
    /** {@code torch.Size(tuple)}. */
    SIZE,
    /** {@code torch.device(name, index)}. */
    DEVICE,
    /** Whatever makes bytes, which no tensor needs. */
    BYTES,
    /** {@code set(items)}. */
    SET,
    /** {@code _rebuild_tensor(storage, offset, size, stride)}. */
    TENSOR,
    /** The same with {@code requires_grad, hooks} and perhaps {@code metadata}. */
    TENSOR_V2,
    /** The same with the element type, of a storage that has none. */
    TENSOR_V3,
    /** {@code _rebuild_parameter(tensor, requires_grad, hooks)}, perhaps with a state. */
    PARAMETER,
    /** {@code _rebuild_from_type_v2(function, class, arguments, state)}. */
    FROM_TYPE,
    /** {@code restore_type_tag(value, type)} of TorchScript: the value. */
    TYPE_TAG;

    private static final int DTYPE = 6;

    /** The result; arguments that do not fit are a {@link PickleFault}. */
    Object apply(Tuple arguments) {
        List<Object> given = arguments.items();
        return switch (this) {
            case ORDERED_DICT -> orderedDict(given);
            case SIZE -> argument(given, 0, Tuple.class);
            case DEVICE -> Plain.DEVICE;
            case BYTES -> Plain.BYTES;
            case SET -> Plain.SET;
            case TENSOR, TENSOR_V2 -> view(given, type(given));
            case TENSOR_V3 -> view(given, argument(given, DTYPE, ElementType.class));
            case PARAMETER -> argument(given, 0, View.class);
            case FROM_TYPE -> fromType(given);
            case TYPE_TAG -> argument(given, 0, Object.class);
        };
    }

    private Dict orderedDict(List<Object> given) {
        Dict dict = new Dict();
        if (!given.isEmpty()) {
            for (Object pair : argument(given, 0, Items.class).items()) {
                List<Object> two = items(pair);
                dict.put(argument(two, 0, Object.class), argument(two, 1, Object.class));
            }
        }
        return dict;
    }

    private static List<Object> items(Object pair) {
        return switch (pair) {
            case Tuple tuple -> tuple.items();
            case Items list -> list.items();
            default -> List.of();
        };
    }

    private ElementType type(List<Object> given) {
        ElementType type = argument(given, 0, Storage.class).type();
        if (type == null) {
            throw new PickleFault(
                    "has a tensor without an element type",
                    "",
                    "; save the model's state_dict again");
        }
        return type;
    }

    private View view(List<Object> given, ElementType type) {
        return new View(
                argument(given, 0, Storage.class),
                type,
                argument(given, 1, Long.class),
                argument(given, 2, Tuple.class),
                argument(given, 3, Tuple.class));
    }

    /** Of tensors and parameters with attributes only, and not of itself: a chain of these could have any length. */
    private Object fromType(List<Object> given) {
        Call function = argument(given, 0, Call.class);
        argument(given, 1, Known.TensorClass.class);
        return switch (function) {
            case TENSOR, TENSOR_V2, TENSOR_V3, PARAMETER ->
                    function.apply(argument(given, 2, Tuple.class));
            default -> throw misfit();
        };
    }

    private <T> T argument(List<Object> given, int index, Class<T> kind) {
        if (index >= given.size() || !kind.isInstance(given.get(index))) {
            throw misfit();
        }
        return kind.cast(given.get(index));
    }

    private PickleFault misfit() {
        return PickleFault.damaged("calls ", name(), " in its pickle with what does not fit");
    }
}
