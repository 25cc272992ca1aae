package org.espalier.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The first part of a safetensors file, checked.
 *
 * @param tensors in the order of their data
 * @param metadata the strings under {@code __metadata__}, in the order of the file
 * @param dataStart where the data section begins, in bytes from the start of the file
 */
record SafetensorsHeader(List<TensorInfo> tensors, Map<String, String> metadata, long dataStart) {
    /** The key that is not a tensor. */
    static final String METADATA_KEY = "__metadata__";

    /** Bytes of the length that starts the file. */
    static final int LENGTH_BYTES = 8;

    /** The reference's own limit, for reading and for writing. */
    static final long MAX_BYTES = 100_000_000;

    SafetensorsHeader {
        tensors = List.copyOf(tensors);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /** Bytes of the data section. */
    long dataBytes() {
        return tensors.isEmpty() ? 0 : tensors.getLast().end();
    }
}
