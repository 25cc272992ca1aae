package org.espalier.checkpoint.pickle;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a pickle can hold beside Long, BigInteger, Double, Boolean and String. Lists and dicts may hold themselves:
 * nothing may walk them without end, hash or print them.
 */
final class Values {
    private Values() {}

    /** Things of which only the kind is known: None, bytes, sets, devices. */
    enum Plain {
        NONE,
        BYTES,
        SET,
        DEVICE
    }

    /** A tuple, or a {@code torch.Size}. */
    record Tuple(List<Object> items) {}

    /** A list. */
    static final class Items {
        private final List<Object> items = new ArrayList<>(0);

        List<Object> items() {
            return items;
        }
    }

    /** A dict or OrderedDict, in the order of the file. */
    static final class Dict {
        private final Map<Object, Object> entries = new LinkedHashMap<>(0);

        Map<Object, Object> entries() {
            return entries;
        }

        /** Adds an entry; the pickle of a dict names no key twice. */
        void put(Object key, Object value) {
            boolean plain = key instanceof String || key instanceof Long || key instanceof Boolean;
            // Other keys are never asked for, and to hash them could take forever.
            Object before = entries.putIfAbsent(plain ? key : new Object(), value);
            if (before != null) {
                throw PickleFault.damaged("names ", String.valueOf(key), " twice in one dict");
            }
        }
    }

    /**
     * A storage that the pickle refers to.
     *
     * @param type its elements; null where it is a run of bytes whose tensors name their own type
     * @param key its name in the archive
     * @param elements how many it has; bytes where there is no type
     */
    record Storage(@org.jspecify.annotations.Nullable ElementType type, String key, long elements) {
        /** Bytes of its data. */
        long bytes() {
            return type == null ? elements : Math.multiplyExact(elements, (long) type.bytes());
        }
    }

    /**
     * A view of a storage; nothing is checked yet but the kinds.
     *
     * @param offset of the first element
     * @param size dimensions, slowest first
     * @param stride elements from one entry of each dimension to the next
     */
    record View(Storage storage, ElementType type, long offset, Tuple size, Tuple stride) {}
}
