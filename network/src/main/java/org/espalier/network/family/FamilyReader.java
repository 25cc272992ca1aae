package org.espalier.network.family;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.espalier.core.UserError;
import org.espalier.core.yaml.StrictYaml;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.type.LogicalType;

/** Reads a descriptor from YAML. What is missing is reported together, each part with its path. */
final class FamilyReader {
    private static final JsonMapper MAPPER =
            JsonMapper.builder()
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                    .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    // No value is turned into one of another kind.
                    .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                    .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                    .withCoercionConfig(
                            LogicalType.Textual,
                            text -> {
                                for (CoercionInputShape shape :
                                        List.of(
                                                CoercionInputShape.Integer,
                                                CoercionInputShape.Float,
                                                CoercionInputShape.Boolean)) {
                                    text.setCoercion(shape, CoercionAction.Fail);
                                }
                            })
                    .build();

    private final List<String> problems = new ArrayList<>();

    private FamilyReader() {}

    /**
     * Reads one descriptor.
     *
     * @param source what the user calls the text, for messages
     * @param yaml the text
     * @throws UserError if it is no descriptor, or one with parts missing
     */
    static Family read(String source, String yaml) {
        FamilyReader reader = new FamilyReader();
        Family family;
        try {
            ObjectNode tree = StrictYaml.read(source, yaml);
            reader.require("", Family.class, tree);
            reader.throwProblems(source);
            family = MAPPER.treeToValue(tree, Family.class);
        } catch (JacksonException e) {
            throw new UserError(source + ": no descriptor of a family" + explanation(e), e);
        }
        reader.fit(family);
        reader.throwProblems(source);
        return family;
    }

    private void throwProblems(String source) {
        if (!problems.isEmpty()) {
            throw new UserError(source + ": " + String.join("; ", problems));
        }
    }

    private static String explanation(JacksonException e) {
        if (e.getCause() instanceof IllegalArgumentException refused) {
            return ": " + refused.getMessage();
        }
        String path =
                e.getPath().stream()
                        .map(step ->
                                step.getPropertyName() == null
                                        ? String.valueOf(step.getIndex())
                                        : step.getPropertyName())
                        .collect(Collectors.joining("."));
        String problem = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
        return (path.isEmpty() ? "" : ", " + path) + ": " + problem;
    }

    /** Every part of a record must be there but switches, which are off, and what is marked as {@link Nullable}. */
    private void require(String path, Type type, @Nullable JsonNode node) {
        if (type instanceof ParameterizedType map
                && map.getRawType() == Map.class
                && node != null) {
            Type value = map.getActualTypeArguments()[1];
            node.propertyStream()
                    .forEach(
                            entry -> require(path + entry.getKey() + ".", value, entry.getValue()));
        }
        if (!(type instanceof Class<?> record) || !record.isRecord() || node == null) {
            return;
        }
        for (RecordComponent component : record.getRecordComponents()) {
            String name = component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            JsonNode part = node.get(name);
            boolean optional =
                    component.getType().isPrimitive()
                            || component.getAnnotatedType().isAnnotationPresent(Nullable.class);
            if (part != null && part.isNull() && component.getType().isPrimitive()) {
                problems.add(path + name + " has no value");
            } else if (part == null || part.isNull()) {
                if (!optional) {
                    problems.add(path + name + " is missing");
                }
            } else {
                require(path + name + ".", component.getGenericType(), part);
            }
        }
    }

    /** Parts that others call for. */
    private void fit(Family family) {
        switch (family.positions()) {
            case ROPE -> need(family.settings().ropeTheta(), "settings.rope_theta", "rope");
            case LEARNED -> need(family.names().positions(), "names.positions", "learned");
            case ALIBI -> {}
        }
        Map<String, Family.Matrix> matrices = family.matrices();
        if (family.settings().positionOffset() < 0) {
            problems.add("settings.position_offset must be at least 0");
        }
        boolean attention =
                family.latent() != null
                        ? matrices.keySet().containsAll(List.of("kv_a", "kv_b"))
                        : matrices.containsKey("qkv")
                                || matrices.keySet().containsAll(List.of("q", "k", "v"));
        if (!attention || !matrices.containsKey("o")) {
            problems.add(
                    "matrices: attention needs o and either q, k and v, or qkv; latent attention o,"
                            + " kv_a and kv_b");
        }
        boolean feedForward = matrices.containsKey("up") || matrices.containsKey("gate_up");
        Experts experts = family.experts();
        if (experts == null && !(feedForward && matrices.containsKey("down"))) {
            problems.add("matrices: an MLP needs up, or gate_up, and down");
        }
        if (experts != null) {
            gated("experts.matrices", experts.matrices());
            if (experts.shared() != null) {
                gated("experts.shared.matrices", experts.shared().matrices());
            }
        }
        matrices.forEach((kind, matrix) -> {
            if (!matrix.name().contains("{block}")) {
                problems.add("matrices." + kind + ".name has no {block}");
            }
        });
    }

    private void gated(String path, Map<String, Family.Matrix> matrices) {
        if (!matrices.keySet().equals(Set.of("gate", "up", "down"))) {
            problems.add(path + " must be gate, up and down");
        }
    }

    private void need(@Nullable Object part, String name, String positions) {
        if (part == null) {
            problems.add(name + " is missing, which positions: " + positions + " needs");
        }
    }
}
