package org.espalier.checkpoint.gguf;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;

/** What a whole GGUF file is stored as ({@code general.file_type}); single tensors may depart from it. */
public enum GgufFileType {
    F32(0, GgufType.F32),
    F16(1, GgufType.F16),
    BF16(32, GgufType.BF16),
    Q8_0(7, GgufType.Q8_0),
    Q4_0(2, GgufType.Q4_0),
    Q4_K_M(15, GgufType.Q4_K);

    private final int id;
    private final GgufType type;

    GgufFileType(int id, GgufType type) {
        this.id = id;
        this.type = type;
    }

    /** The number in {@code general.file_type}. */
    int id() {
        return id;
    }

    /** The type of most matrices. */
    GgufType type() {
        return type;
    }

    boolean isQuantized() {
        return type.blockElements() > 1;
    }

    /** The type that a user named, such as {@code q4_k_m}. */
    public static GgufFileType named(String name) {
        return Arrays.stream(values())
                .filter(type -> type.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() ->
                        new UserError(
                                "there is no GGUF type "
                                        + Text.quote(name)
                                        + "; use "
                                        + Arrays.stream(values())
                                                .map(type -> type.name().toLowerCase(Locale.ROOT))
                                                .collect(Collectors.joining(", "))));
    }
}
