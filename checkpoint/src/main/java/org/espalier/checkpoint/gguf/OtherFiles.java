package org.espalier.checkpoint.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;

/** Says of a file that should be GGUF and is not what it is, by its first bytes, and the one thing to do. */
final class OtherFiles {
    private static final int HEAD = 12;

    /** A piece of a file that was cut up, but not the first. */
    private static final Pattern PIECE =
            Pattern.compile("(?i).*\\.gguf[.-](split-?|part-?)[0-9a-z]{1,12}");

    private OtherFiles() {}

    static UserError refused(Path file, MemorySegment content) {
        byte[] head =
                content.asSlice(0, Math.min(HEAD, content.byteSize()))
                        .toArray(ValueLayout.JAVA_BYTE);
        return new UserError(
                file
                        + " "
                        + what(head, PIECE.matcher(String.valueOf(file.getFileName())).matches()));
    }

    private static String what(byte[] head, boolean piece) {
        if (head.length == 0) {
            return "is empty (0 bytes); download the file again";
        }
        if (piece) {
            return "is one piece of a GGUF file that was cut up; join all pieces with cat, in the order of their"
                    + " names, and give the whole file";
        }
        String magic = new String(head, 0, Math.min(4, head.length), StandardCharsets.ISO_8859_1);
        // The old formats have their letters the other way round in the file.
        return switch (magic) {
            case "lmgg", "fmgg", "tjgg" ->
                    "is a "
                            + new StringBuilder(magic).reverse()
                            + " file, which llama.cpp gave up for GGUF in 2023; get a GGUF file of the model, or convert"
                            + " its Hugging Face folder again";
            case "algg" -> "is an old LoRA adapter (ggla), not a model; give the model's own file";
            case "FUGG" -> "has its bytes swapped; get the usual little-endian file";
            case "PK\003\004" ->
                    "is a zip archive (PyTorch weights, perhaps) under the name of a GGUF file; unpack or convert it";
            default ->
                    head.length > 8 && head[8] == '{' && head[7] == 0
                            ? "is a safetensors file under the name of a GGUF file; give the folder of the model"
                            : "does not begin with 'GGUF' but with "
                                    + Text.quote(magic)
                                    + "; give a model file of llama.cpp, or download it again";
        };
    }
}
