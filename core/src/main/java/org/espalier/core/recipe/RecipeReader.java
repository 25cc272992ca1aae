package org.espalier.core.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.espalier.core.UserError;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.core.yaml.StrictYaml;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads a recipe from YAML. All faults of the file are reported together, each with its key's path; the names of methods
 * and their parameters are checked later, by the axes that know them.
 */
public final class RecipeReader {
    private static final List<String> KEYS =
            List.of(
                    "name",
                    "paper",
                    "card",
                    "summary",
                    "variant",
                    "calibration",
                    "score",
                    "allocate",
                    "select",
                    "solver",
                    "repair",
                    "inputs",
                    "protect");

    private final Problems problems;

    private RecipeReader(Problems problems) {
        this.problems = problems;
    }

    /**
     * Reads one recipe.
     *
     * @param source what the user calls the text, for messages
     * @param yaml the text
     * @throws UserError that names every fault
     */
    public static Recipe read(String source, String yaml) {
        Problems problems = new Problems(source);
        Recipe recipe = read(yaml, problems);
        problems.throwIfAny();
        return recipe;
    }

    /**
     * Reads one recipe and goes on after faults, with defaults in their place, so that others can add what they find.
     *
     * @param yaml the text
     * @param problems receives every fault
     * @throws UserError where the text is no map of keys at all
     */
    public static Recipe read(String yaml, Problems problems) {
        Object tree =
                JsonMapper.shared()
                        .treeToValue(StrictYaml.read(problems.source(), yaml), Object.class);
        return new RecipeReader(problems).recipe(stringKeys((Map<?, ?>) tree));
    }

    private Recipe recipe(Map<String, Object> map) {
        unknownKeys(map, KEYS, "");
        emptyKeys(map, "");
        String name = text(map, "name", "name", null);
        if (name == null || !name.matches("[a-z0-9][a-z0-9-]*")) {
            problems.add("name", "must be given, in lower-case letters, digits and hyphens");
            name = "unnamed";
        }
        Part solver = orElse(part(map, "solver"), Part.of("mask", "solver"));
        return new Recipe(
                name,
                paper(map),
                text(map, "card", "card", null),
                orElse(text(map, "summary", "summary", null), ""),
                oneOf(map, "variant", Recipe.Variant.values(), Recipe.Variant.RELEASED),
                calibration(map),
                part(map, "score"),
                orElse(part(map, "allocate"), Part.of("uniform", "allocate")),
                selection(map),
                solver,
                orElse(part(map, "repair"), Part.of("none", "repair")),
                oneOf(map, "inputs", Recipe.Inputs.values(), Recipe.Inputs.PROPAGATED),
                protect(map));
    }

    private Protection protect(Map<String, Object> map) {
        Object value = map.get("protect");
        if (value == null) {
            return Protection.NONE;
        }
        List<?> items = value instanceof List<?> list ? list : List.of(value);
        List<String> patterns = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            String path = value instanceof List ? "protect[" + i + "]" : "protect";
            if (!(items.get(i) instanceof String pattern)) {
                problems.add(
                        path, "must be a pattern of names such as '*.down' but is " + items.get(i));
                continue;
            }
            try {
                patterns.addAll(new Protection(List.of(pattern)).patterns());
            } catch (UserError e) {
                problems.add(path, String.valueOf(e.getMessage()));
            }
        }
        return new Protection(patterns);
    }

    private Recipe.@Nullable Paper paper(Map<String, Object> map) {
        Map<String, Object> paper = section(map, "paper");
        if (paper.isEmpty()) {
            return null;
        }
        unknownKeys(paper, List.of("title", "arxiv"), "paper.");
        String title = text(paper, "title", "paper.title", null);
        if (title == null) {
            problems.add("paper.title", "must be given");
        }
        return new Recipe.Paper(orElse(title, ""), text(paper, "arxiv", "paper.arxiv", null));
    }

    private Recipe.CalibrationDefaults calibration(Map<String, Object> map) {
        Part part = new Part("calibration", section(map, "calibration"), "calibration");
        Parameters parameters = new Parameters(part, problems);
        int samples = parameters.integer("samples", 128, 1, 1_000_000);
        int sequenceLength = parameters.integer("sequence_length", 2048, 1, 10_000_000);
        parameters.finish();
        return new Recipe.CalibrationDefaults(samples, sequenceLength);
    }

    private Selection selection(Map<String, Object> map) {
        Map<String, Object> select = section(map, "select");
        unknownKeys(select, List.of("pattern", "group", "width", "sparsity", "mixed"), "select.");
        Parameters parameters = new Parameters(new Part("select", select, "select"), problems);
        int width = parameters.integer("width", 128, 1, 1_000_000);
        double sparsity = parameters.number("sparsity", 0.5, 0, Math.nextDown(1.0));
        boolean mixed = parameters.flag("mixed", false);
        Pattern pattern = new Pattern.Unstructured(new Group.Row());
        String compared = orElse(text(select, "group", "select.group", null), "row");
        if (select.containsKey("width") && !compared.equals("column-block")) {
            problems.add(
                    "select.width", "goes with group: column-block only; leave one of them out");
        }
        try {
            Group group = PatternSyntax.group(compared, width);
            pattern =
                    PatternSyntax.pattern(
                            orElse(text(select, "pattern", "select.pattern", null), "unstructured"),
                            group);
        } catch (UserError e) {
            problems.add("select", String.valueOf(e.getMessage()));
        }
        if (pattern instanceof Pattern.NofM nOfM) {
            if (!compared.equals("row")) {
                problems.add(
                        "select.group",
                        "the pattern "
                                + nOfM
                                + " compares "
                                + PatternSyntax.group(nOfM)
                                + ", so "
                                + compared
                                + " contradicts it; leave one of them out");
            }
            if (select.containsKey("sparsity") && Math.abs(sparsity - nOfM.sparsity()) > 1e-9) {
                problems.add(
                        "select.sparsity",
                        "is "
                                + sparsity
                                + " but the pattern "
                                + nOfM
                                + " removes "
                                + nOfM.sparsity()
                                + "; leave it out");
            }
            sparsity = nOfM.sparsity();
        }
        if (mixed && !(pattern instanceof Pattern.NofM)) {
            problems.add(
                    "select.mixed",
                    "is for N:M, where it gives each matrix an N of its own; leave it out");
            mixed = false;
        }
        return new Selection(pattern, sparsity, mixed);
    }

    private @Nullable Part part(Map<String, Object> map, String key) {
        Object value = map.get(key);
        if (value == null) {
            return null;
        }
        if (value instanceof String method) {
            return Part.of(method, key);
        }
        if (value instanceof Map<?, ?> inner) {
            Map<String, Object> parameters = new LinkedHashMap<>(stringKeys(inner));
            if (parameters.remove("method") instanceof String method) {
                emptyKeys(parameters, key + ".");
                return new Part(method, parameters, key);
            }
            problems.add(key + ".method", "must name the method");
            return null;
        }
        problems.add(
                key,
                "must be a name or a map with method and its parameters but is "
                        + Parameters.show(value));
        return null;
    }

    private Map<String, Object> section(Map<String, Object> map, String key) {
        Object value = map.get(key);
        if (value == null) {
            return Map.of();
        }
        if (value instanceof Map<?, ?> inner) {
            Map<String, Object> section = new LinkedHashMap<>(stringKeys(inner));
            if (section.isEmpty()) {
                problems.add(key, "is empty; fill it or leave it out");
            }
            emptyKeys(section, key + ".");
            return section;
        }
        problems.add(key, "must be a map but is " + Parameters.show(value));
        return Map.of();
    }

    private @Nullable String text(
            Map<String, Object> map, String key, String path, @Nullable String standard) {
        Object value = map.get(key);
        if (value == null) {
            return standard;
        }
        if (value instanceof String text) {
            return text;
        }
        boolean plain = value instanceof Number || value instanceof Boolean;
        problems.add(
                path,
                "must be text but is "
                        + Parameters.show(value)
                        + (plain ? "; put it in quotes" : ""));
        return standard;
    }

    private <E extends Enum<E>> E oneOf(
            Map<String, Object> map, String key, E[] values, E standard) {
        String word = text(map, key, key, null);
        if (word == null) {
            return standard;
        }
        TreeSet<String> words = new TreeSet<>();
        for (E value : values) {
            String known = value.name().toLowerCase(java.util.Locale.ROOT);
            if (known.equals(word)) {
                return value;
            }
            words.add(known);
        }
        problems.add(
                key,
                "must be one of " + String.join(", ", words) + " but is " + Parameters.show(word));
        return standard;
    }

    private void unknownKeys(Map<String, Object> map, List<String> known, String prefix) {
        for (String key : map.keySet()) {
            if (!known.contains(key)) {
                problems.add(prefix + key, "unknown key; known are " + String.join(", ", known));
            }
        }
    }

    /** Reports and removes what was given without a value. */
    private void emptyKeys(Map<String, Object> map, String prefix) {
        map.entrySet()
                .removeIf(entry -> {
                    if (entry.getValue() == null) {
                        problems.add(
                                prefix + entry.getKey(),
                                "has no value; give it one or leave it out");
                        return true;
                    }
                    return false;
                });
    }

    private static <T> T orElse(@Nullable T value, T standard) {
        return value == null ? standard : value;
    }

    private static Map<String, Object> stringKeys(Map<?, ?> map) {
        Map<String, Object> result = new LinkedHashMap<>();
        map.forEach((key, value) -> result.put(String.valueOf(key), value));
        return result;
    }
}
