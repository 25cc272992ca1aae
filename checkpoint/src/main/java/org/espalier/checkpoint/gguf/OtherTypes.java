package org.espalier.checkpoint.gguf;

import java.util.Map;
import java.util.Objects;

/** Types whose tensors are listed by name and not read: removed ones (ggml {@code ggml.h}) and ones too new. */
final class OtherTypes {
    private static final Map<Integer, String> NAMES =
            Map.ofEntries(
                    Map.entry(4, "Q4_2"),
                    Map.entry(5, "Q4_3"),
                    Map.entry(31, "Q4_0_4_4"),
                    Map.entry(32, "Q4_0_4_8"),
                    Map.entry(33, "Q4_0_8_8"),
                    Map.entry(36, "IQ4_NL_4_4"),
                    Map.entry(37, "IQ4_NL_4_8"),
                    Map.entry(38, "IQ4_NL_8_8"),
                    Map.entry(40, "NVFP4"),
                    Map.entry(41, "Q1_0"),
                    Map.entry(42, "Q2_0"));

    private OtherTypes() {}

    static String name(int id) {
        return Objects.requireNonNullElse(NAMES.get(id), "type " + id);
    }
}
