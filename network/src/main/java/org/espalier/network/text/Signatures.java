package org.espalier.network.text;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Files that are no text, known by their first bytes, and what to do with each. */
final class Signatures {
    private static final String UNPACK = "unpack it, for example ";
    private static final String EXPORT =
            "write it out as .jsonl, for example with to_json() of the Python library datasets";

    private record Signature(String bytes, String name, String advice) {}

    private static final List<Signature> SIGNATURES =
            List.of(
                    new Signature("(\u00b5/\u00fd", "packed with zstd", UNPACK + "with zstd -d"),
                    new Signature("\u00fd7zXZ\0", "packed with xz", UNPACK + "with xz -d"),
                    new Signature("BZh91AY", "packed with bzip2", UNPACK + "with bzip2 -d"),
                    new Signature("\u0004\"M\u0018", "packed with lz4", UNPACK + "with lz4 -d"),
                    new Signature("7z\u00bc\u00af", "a 7z archive", UNPACK + "with 7z x"),
                    new Signature("PK\u0003\u0004", "a zip archive", UNPACK + "with unzip"),
                    new Signature("PAR1\u0015", "a Parquet table", EXPORT),
                    new Signature("ARROW1\0", "an Arrow table", EXPORT),
                    new Signature("\u00ff\u00ff\u00ff\u00ff", "an Arrow stream", EXPORT),
                    new Signature("FEA1", "a Feather table", EXPORT),
                    new Signature(
                            "\u0093NUMPY",
                            "a NumPy array",
                            "write its ids as .jsonl with \"input_ids\" per line"),
                    new Signature("SQLite format 3\0", "a SQLite database", EXPORT),
                    new Signature("\u0089HDF", "an HDF5 file", EXPORT),
                    new Signature(
                            "%PDF-",
                            "a PDF document", "take the text out, for example with pdftotext"),
                    new Signature("GGUF\u0003\0", "a GGUF file", "a text is needed here"),
                    new Signature(
                            "version https://git-lfs",
                            "a git-lfs pointer, not the file itself",
                            "fetch the file with git lfs pull"));

    /** Zero bytes among this many of the first ones are no accident. */
    private static final int ZEROS = 10;

    private Signatures() {}

    /** Why a file that begins like this is no text, and what to do; empty where it may be one. */
    static Optional<String> refusal(byte[] head) {
        String start = new String(head, 0, Math.min(head.length, 32), StandardCharsets.ISO_8859_1);
        for (Signature signature : SIGNATURES) {
            if (start.startsWith(signature.bytes())) {
                return Optional.of("is " + signature.name() + ": " + signature.advice());
            }
        }
        return Optional.empty();
    }

    /** Whether bytes that are taken for UTF-8 have too many zeros for a text. */
    static boolean isBinary(byte[] head) {
        int zeros = 0;
        for (byte b : head) {
            zeros += b == 0 ? 1 : 0;
        }
        return zeros * ZEROS > head.length;
    }
}
