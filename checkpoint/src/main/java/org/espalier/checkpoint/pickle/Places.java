package org.espalier.checkpoint.pickle;

import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.pickle.Values.Storage;
import org.espalier.checkpoint.pickle.Values.Tuple;
import org.espalier.checkpoint.pickle.Values.View;

/** Turns views of storages into places in the file; every number of the pickle is checked here. */
final class Places {
    /** Weights have up to five dimensions. */
    private static final int MOST_DIMENSIONS = 16;

    /** Of safetensors, which cannot be the name of a tensor there. */
    private static final String RESERVED = "__metadata__";

    private final long fileBytes;

    /**
     * Where a storage lies.
     *
     * @param start first byte, from the start of the file
     * @param bytes how many there are
     */
    record Place(long start, long bytes) {}

    /** Finds the storages of an archive. */
    @FunctionalInterface
    interface Storages {
        /** The place of a storage; one that is not there is a {@link PickleFault}. */
        Place of(Storage storage);
    }

    Places(long fileBytes) {
        this.fileBytes = fileBytes;
    }

    /** All tensors of a state dict, in its order. */
    List<StoredTensor> tensors(StateDict.Found found, Storages storages) {
        List<StoredTensor> tensors = new ArrayList<>();
        found.dict()
                .entries()
                .forEach((key, value) -> {
                    if (key instanceof String name && value instanceof View view) {
                        tensors.add(tensor(name, view, storages.of(view.storage())));
                    }
                });
        return List.copyOf(tensors);
    }

    private StoredTensor tensor(String name, View view, Place place) {
        if (name.equals(RESERVED)) {
            throw new PickleFault("has a tensor named ", name, "; give it another name");
        }
        List<Long> shape = numbers(name, view.size());
        List<Long> strides = numbers(name, view.stride());
        if (shape.size() != strides.size()) {
            throw fault(name, "has " + shape.size() + " sizes and " + strides.size() + " strides");
        }
        long available = view.storage().bytes();
        if (available > place.bytes()) {
            throw fault(
                    name,
                    "needs a storage of "
                            + available
                            + " bytes, of which "
                            + place.bytes()
                            + " are there");
        }
        StoredTensor tensor;
        try {
            long begin = Math.multiplyExact(view.offset(), (long) view.type().bytes());
            tensor =
                    new StoredTensor(
                            name,
                            view.type(),
                            shape,
                            strides,
                            Math.addExact(place.start(), begin),
                            place.start());
            requireWithin(tensor, view, available, begin);
        } catch (ArithmeticException e) {
            PickleFault fault = fault(name, "has a size beyond 64 bits");
            fault.initCause(e);
            throw fault;
        }
        return tensor;
    }

    private void requireWithin(StoredTensor tensor, View view, long available, long begin) {
        long reach = Math.addExact(begin, tensor.elements() == 0 ? 0 : exactSpan(tensor));
        if (view.offset() < 0 || reach > available) {
            throw fault(
                    tensor.name(),
                    "reaches from byte "
                            + begin
                            + " to "
                            + reach
                            + " of a storage of "
                            + available
                            + " bytes");
        }
        // A stride of zero gives a small storage any number of elements.
        if (tensor.bytes() > Math.max(available, fileBytes)) {
            throw fault(
                    tensor.name(),
                    "stands for " + tensor.elements() + " elements, more than the whole file has");
        }
    }

    private static long exactSpan(StoredTensor tensor) {
        long last = 0;
        for (int axis = 0; axis < tensor.shape().size(); axis++) {
            long steps = tensor.shape().get(axis) - 1;
            last =
                    Math.addExact(
                            last, Math.multiplyExact(steps, (long) tensor.strides().get(axis)));
        }
        return Math.multiplyExact(Math.addExact(last, 1), (long) tensor.type().bytes());
    }

    private List<Long> numbers(String name, Tuple tuple) {
        if (tuple.items().size() > MOST_DIMENSIONS) {
            throw fault(name, "has " + tuple.items().size() + " dimensions");
        }
        List<Long> numbers = new ArrayList<>();
        for (Object item : tuple.items()) {
            if (!(item instanceof Long number) || number < 0) {
                throw fault(name, "has a size or stride that is no count");
            }
            numbers.add(number);
        }
        return numbers;
    }

    private static PickleFault fault(String name, String what) {
        return PickleFault.damaged("has the tensor ", name, ", which " + what);
    }
}
