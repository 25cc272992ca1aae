package org.espalier.network;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of the tokens that a decoder has already seen, so that the next token costs one row and not the whole
 * text. For inference only: it is filled in place, under {@link Tensors#noGrad()}.
 *
 * <p>Blocks advance one by one during a pass; between passes all have the same {@link #length}.
 */
public final class KeyValueCache implements AutoCloseable {
    private static final long FIRST_CAPACITY = 64;

    private final @Nullable Tensor[] keys;
    private final @Nullable Tensor[] values;
    private final long[] lengths;

    /** An empty cache for a decoder of that many blocks. */
    public KeyValueCache(int blocks) {
        keys = new @Nullable Tensor[blocks];
        values = new @Nullable Tensor[blocks];
        lengths = new long[blocks];
    }

    /** Number of tokens that a block has seen, which is the position of its next one. */
    public long length(int block) {
        return lengths[block];
    }

    /** Number of tokens that the first block has seen. */
    public long length() {
        return lengths[0];
    }

    /**
     * Adds the newest tokens and returns all of them.
     *
     * @param key [sequences, kvHeads, tokens, headDim]
     * @param value as {@code key}
     * @return keys and values from position 0, views that are valid until the next call for this block
     */
    Entry append(int block, Tensor key, Tensor value) {
        long length = lengths[block] + key.size(2);
        keys[block] = store(keys[block], key, lengths[block]);
        values[block] = store(values[block], value, lengths[block]);
        lengths[block] = length;
        return new Entry(
                held(keys[block]).narrow(2, 0, length), held(values[block]).narrow(2, 0, length));
    }

    /** All keys and values of a block. */
    record Entry(Tensor keys, Tensor values) {}

    private static Tensor store(@Nullable Tensor old, Tensor newest, long from) {
        long needed = from + newest.size(2);
        Tensor room = old;
        if (room == null || room.size(2) < needed) {
            long capacity = Math.max(FIRST_CAPACITY, Long.highestOneBit(2 * needed - 1));
            try (PointerScope scope = new PointerScope()) {
                room =
                        Tensors.own(
                                torch.empty(
                                        new long[] {
                                            newest.size(0), newest.size(1), capacity, newest.size(3)
                                        },
                                        Tensors.options(torch.ScalarType.Float),
                                        null));
                if (old != null) {
                    room.narrow(2, 0, from).copy_(old.narrow(2, 0, from));
                    old.close();
                }
            }
        }
        try (PointerScope scope = new PointerScope()) {
            room.narrow(2, from, newest.size(2)).copy_(newest);
        }
        return room;
    }

    private static Tensor held(@Nullable Tensor tensor) {
        if (tensor == null) {
            throw new IllegalStateException("the cache was closed");
        }
        return tensor;
    }

    @Override
    public void close() {
        for (int block = 0; block < lengths.length; block++) {
            if (keys[block] != null) {
                keys[block].close();
                keys[block] = null;
            }
            if (values[block] != null) {
                values[block].close();
                values[block] = null;
            }
            lengths[block] = 0;
        }
    }
}
