package org.espalier.checkpoint.gguf;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a GGUF file says of itself, whatever it is: a model of an architecture that is not known here, with types that
 * cannot be computed, a vocabulary, an adapter. Nothing is read but the header.
 *
 * @param paths the file, or all its parts
 * @param architecture {@code general.architecture}; null where the file names none
 * @param kind {@code general.type}, or "model" where it names none
 * @param name {@code general.name}; null where it names none
 * @param shape the numbers of the architecture, by their key without the architecture, as far as they are there
 * @param tokens number of tokens in its vocabulary; 0 for none
 * @param tokenizer kind of tokenizer; null where it names none
 * @param entries number of metadata entries
 * @param types tensors by type
 * @param groups tensors of the same name but for the number of the block, and of the same type and shape
 */
public record GgufListing(
        List<Path> paths,
        @Nullable String architecture,
        String kind,
        @Nullable String name,
        Map<String, Long> shape,
        int tokens,
        @Nullable String tokenizer,
        int entries,
        Map<String, Share> types,
        List<Group> groups) {
    private static final List<String> NUMBERS =
            List.of(
                    "block_count",
                    "embedding_length",
                    "feed_forward_length",
                    "attention.head_count",
                    "attention.head_count_kv",
                    "expert_count",
                    "context_length");

    /**
     * What one type has of a file.
     *
     * @param computable whether tensors of this type can be computed here
     * @param tensors number of tensors
     * @param bytes bytes of their data
     */
    public record Share(boolean computable, int tensors, long bytes) {
        Share plus(GgufTensor tensor) {
            return new Share(computable, tensors + 1, Math.addExact(bytes, tensor.bytes()));
        }
    }

    /**
     * Tensors that are alike.
     *
     * @param name their name, with {@code *} for the number of the block
     * @param tensors how many there are
     * @param shape slowest axis first, as PyTorch has it
     * @param type their type
     */
    public record Group(String name, int tensors, List<Long> shape, String type) {
        public Group {
            shape = List.copyOf(shape);
        }

        private BigInteger elements() {
            return shape.stream()
                    .map(BigInteger::valueOf)
                    .reduce(BigInteger.valueOf(tensors), BigInteger::multiply);
        }
    }

    public GgufListing {
        paths = List.copyOf(paths);
        shape = Map.copyOf(shape);
        types = Map.copyOf(types);
        groups = List.copyOf(groups);
    }

    /** Lists an open file. */
    public static GgufListing of(GgufFile file) {
        Map<String, GgufValue> values = file.metadata();
        String architecture = text(values, "general.architecture");
        String kind = text(values, "general.type");
        Map<String, Long> shape = new LinkedHashMap<>();
        for (String key : NUMBERS) {
            if (values.get(architecture + "." + key)
                    instanceof GgufValue.Whole(long value, var _)) {
                shape.put(key, value);
            }
        }
        Map<String, Share> types = new TreeMap<>();
        Map<Group, Integer> groups = new LinkedHashMap<>();
        for (GgufTensor tensor : file.tensors().values()) {
            types.merge(
                    tensor.typeName(),
                    new Share(tensor.type().isReadable(), 1, tensor.bytes()),
                    (share, _) -> share.plus(tensor));
            String name = tensor.name().replaceFirst("\\.\\d+\\.", ".*.");
            groups.merge(new Group(name, 1, tensor.shape(), tensor.typeName()), 1, Integer::sum);
        }
        List<Group> counted = new ArrayList<>();
        groups.forEach((group, count) ->
                counted.add(new Group(group.name(), count, group.shape(), group.type())));
        return new GgufListing(
                file.paths(),
                architecture,
                kind == null ? "model" : kind,
                text(values, "general.name"),
                shape,
                values.get("tokenizer.ggml.tokens") instanceof GgufValue.Texts(var tokens)
                        ? tokens.size()
                        : 0,
                text(values, "tokenizer.ggml.model"),
                values.size(),
                types,
                counted);
    }

    /** Number of tensors. */
    public int tensors() {
        return groups.stream().mapToInt(Group::tensors).sum();
    }

    /** Numbers in all tensors; the largest long where a strange file declares more. */
    public long elements() {
        return groups.stream()
                .map(Group::elements)
                .reduce(BigInteger.ZERO, BigInteger::add)
                .min(BigInteger.valueOf(Long.MAX_VALUE))
                .longValue();
    }

    private static @Nullable String text(Map<String, GgufValue> values, String key) {
        return values.get(key) instanceof GgufValue.Text(String text) ? text : null;
    }
}
