package org.espalier.checkpoint.gguf;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a GGUF file says before its data. */
record GgufHeader(int version, Map<String, GgufValue> metadata, Map<String, GgufTensor> tensors) {
    GgufHeader {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }
}
