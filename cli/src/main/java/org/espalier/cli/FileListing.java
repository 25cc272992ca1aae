package org.espalier.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.espalier.checkpoint.Text;
import org.espalier.checkpoint.gguf.GgufFile;
import org.espalier.checkpoint.gguf.GgufListing;

/**
 * {@code inspect} of a GGUF file that cannot be computed: what it says of itself, and why not.
 *
 * @param model the path as it was given
 * @param listing what the file says
 * @param reason why it cannot be computed, one line
 */
record FileListing(Path model, GgufListing listing, String reason) {
    /** Reads the header of a file; what cannot even be listed is a user's error. */
    static FileListing of(Path model, String reason) {
        try (GgufFile file = GgufFile.open(model)) {
            return new FileListing(model, GgufListing.of(file), reason);
        }
    }

    void print(Console console) {
        line(
                console,
                "model",
                model.toAbsolutePath().normalize().getFileName() + " (" + what() + ")");
        if (listing.name() != null) {
            line(console, "called", Text.line(listing.name()));
        }
        if (listing.paths().size() > 1) {
            line(console, "parts", listing.paths().size() + " files");
        }
        line(
                console,
                "parameters",
                Words.format("%,d in %d tensors", listing.elements(), listing.tensors()));
        if (!listing.shape().isEmpty()) {
            line(
                    console,
                    "shape",
                    new TreeMap<>(listing.shape())
                            .entrySet().stream()
                                    .map(entry -> entry.getKey() + " " + entry.getValue())
                                    .collect(Collectors.joining(", ")));
        }
        new TreeMap<>(listing.types())
                .forEach((type, share) ->
                        line(
                                console,
                                "stored as",
                                type
                                        + ", "
                                        + Words.bytes(share.bytes())
                                        + ", "
                                        + share.tensors()
                                        + (share.tensors() == 1 ? " tensor" : " tensors")
                                        + (share.computable() ? "" : ", listed only")));
        line(console, "tokenizer", tokenizer());
        line(console, "metadata", listing.entries() + " entries");
        line(console, "listed only", reason);
        if (!listing.groups().isEmpty()) {
            console.out().println();
            row(console, "tensor", "count", "shape", "type");
        }
        for (GgufListing.Group group : listing.groups()) {
            row(
                    console,
                    Text.line(group.name()),
                    Integer.toString(group.tensors()),
                    group.shape().stream().map(String::valueOf).collect(Collectors.joining("x")),
                    group.type());
        }
    }

    Map<String, Object> json() {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", model.toString());
        result.put("computable", false);
        result.put("reason", reason);
        result.put("kind", listing.kind());
        result.put("architecture", listing.architecture());
        result.put("name", listing.name());
        result.put("parameters", listing.elements());
        result.put("shape", new TreeMap<>(listing.shape()));
        result.put("vocabulary", listing.tokens());
        result.put("tokenizer", listing.tokenizer());
        result.put("metadata", listing.entries());
        Map<String, Long> bytes = new TreeMap<>();
        listing.types().forEach((type, share) -> bytes.put(type, share.bytes()));
        result.put("bytesByType", bytes);
        result.put("types", new TreeMap<>(listing.types()));
        List<Map<String, Object>> tensors = new ArrayList<>();
        for (GgufListing.Group group : listing.groups()) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", group.name());
            entry.put("tensors", group.tensors());
            entry.put("shape", group.shape());
            entry.put("type", group.type());
            tensors.add(entry);
        }
        result.put("tensors", tensors);
        result.put(
                "files",
                listing.paths().stream().map(path -> String.valueOf(path.getFileName())).toList());
        return result;
    }

    private String what() {
        String kind = listing.kind().equals("model") ? "" : Text.line(listing.kind()) + ", ";
        String architecture = listing.architecture();
        return kind
                + (architecture == null
                        ? "no architecture named"
                        : "architecture " + Text.line(architecture));
    }

    private String tokenizer() {
        if (listing.tokens() == 0) {
            return "none";
        }
        String kind = listing.tokenizer();
        return Words.format("%,d tokens", listing.tokens())
                + (kind == null ? "" : " (" + Text.line(kind) + ")");
    }

    private static void line(Console console, String name, String value) {
        console.out().println(Words.format("%-12s %s", name, value));
    }

    private static void row(Console console, String name, String count, String shape, String type) {
        console.out().println(Words.format("%-34s %6s %18s  %s", name, count, shape, type));
    }
}
