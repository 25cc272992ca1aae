package org.espalier.cli;

import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * {@code inspect} of safetensors that are no model that can be computed: a folder of another architecture or of codes, a
 * bare file. Nothing is read but headers.
 *
 * @param model the path as it was given
 * @param kind what it is
 * @param elements numbers in all tensors, exact however large a strange file declares them
 * @param bytesByType bytes of the tensors by the type that they are stored in
 * @param groups tensors that are alike but for numbers in their names
 * @param reason why it cannot be computed, one line
 */
record TensorListing(
        Path model,
        String kind,
        BigInteger elements,
        Map<String, Long> bytesByType,
        List<Group> groups,
        String reason) {
    /**
     * Tensors that are alike.
     *
     * @param name their name, with {@code *} for numbers in it
     * @param tensors how many there are
     * @param shape their shape
     * @param type their type
     */
    record Group(String name, int tensors, List<Long> shape, String type) {}

    /**
     * Lists what can be parsed.
     *
     * @param refusal why the model cannot be opened
     * @return null where nothing can be listed either
     */
    static @Nullable TensorListing of(Path model, UserError refusal) {
        String reason = String.valueOf(refusal.getMessage());
        if (Files.isDirectory(model)) {
            return folder(model, reason);
        }
        boolean file =
                Files.isRegularFile(model)
                        && model.toString().toLowerCase(Locale.ROOT).endsWith(".safetensors");
        if (!file) {
            return null;
        }
        try (SafetensorsFile bare = SafetensorsFile.open(model)) {
            return of(
                    model,
                    "a safetensors file by itself",
                    bare.tensors().values(),
                    bytes(bare.tensors().values()),
                    reason);
        }
    }

    private static @Nullable TensorListing folder(Path model, String reason) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            String type = checkpoint.config().path("model_type").asString("");
            return of(
                    model,
                    type.isEmpty() ? "no model_type named" : Text.line(type),
                    checkpoint.tensors().values(),
                    checkpoint.bytesByType(),
                    reason);
        } catch (UserError e) {
            // It is this folder's files that cannot be read, and the refusal says so already.
            return null;
        }
    }

    private static TensorListing of(
            Path model,
            String kind,
            Collection<TensorInfo> tensors,
            Map<String, Long> bytes,
            String reason) {
        Map<Group, Integer> counts = new LinkedHashMap<>();
        BigInteger elements = BigInteger.ZERO;
        for (TensorInfo tensor : tensors) {
            String name = tensor.name().replaceAll("\\.\\d+(?=\\.)", ".*");
            counts.merge(
                    new Group(name, 0, tensor.shape(), tensor.dtype().name()), 1, Integer::sum);
            elements = elements.add(BigInteger.valueOf(tensor.elements()));
        }
        List<Group> groups = new ArrayList<>();
        counts.forEach((group, count) ->
                groups.add(new Group(group.name(), count, group.shape(), group.type())));
        return new TensorListing(model, kind, elements, bytes, groups, reason);
    }

    private static Map<String, Long> bytes(Collection<TensorInfo> tensors) {
        Map<String, Long> bytes = new TreeMap<>();
        tensors.forEach(tensor -> bytes.merge(tensor.dtype().name(), tensor.bytes(), Long::sum));
        return bytes;
    }

    private int tensors() {
        return groups.stream().mapToInt(Group::tensors).sum();
    }

    void print(Console console) {
        line(
                console,
                "model",
                model.toAbsolutePath().normalize().getFileName() + " (" + kind + ")");
        line(console, "parameters", Words.format("%,d in %d tensors", elements, tensors()));
        bytesByType.forEach(
                (type, bytes) -> line(console, "stored as", type + ", " + Words.bytes(bytes)));
        line(console, "listed only", reason);
        console.out().println();
        row(console, "tensor", "count", "shape", "type");
        for (Group group : groups) {
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
        result.put("kind", kind);
        result.put("parameters", elements);
        result.put("bytesByType", bytesByType);
        result.put("tensors", groups);
        return result;
    }

    private static void line(Console console, String name, String value) {
        console.out().println(Words.format("%-12s %s", name, value));
    }

    private static void row(Console console, String name, String count, String shape, String type) {
        console.out().println(Words.format("%-44s %6s %18s  %s", name, count, shape, type));
    }
}
