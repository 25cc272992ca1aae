package org.espalier.audit.receipt;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.core.recipe.Part;
import org.espalier.core.recipe.Recipe;

/** A recipe in the form of a recipe file, as plain maps, so that a receipt can be turned into a run again. */
public final class RecipeForm {
    private RecipeForm() {}

    /** The whole recipe, defaults written out. */
    public static Map<String, Object> of(Recipe recipe) {
        Map<String, Object> form = new LinkedHashMap<>();
        form.put("name", recipe.name());
        if (!recipe.summary().isEmpty()) {
            form.put("summary", recipe.summary());
        }
        Recipe.Paper paper = recipe.paper();
        if (paper != null) {
            Map<String, Object> source = new LinkedHashMap<>();
            source.put("title", paper.title());
            if (paper.arxiv() != null) {
                source.put("arxiv", paper.arxiv());
            }
            form.put("paper", source);
        }
        if (recipe.card() != null) {
            form.put("card", recipe.card());
        }
        form.put("variant", lower(recipe.variant()));
        if (recipe.score() != null) {
            form.put("score", part(recipe.score()));
        }
        form.put("allocate", part(recipe.allocate()));
        form.put("select", select(recipe));
        form.put("solver", part(recipe.solver()));
        form.put("repair", part(recipe.repair()));
        form.put("inputs", lower(recipe.inputs()));
        if (!recipe.protect().isEmpty()) {
            form.put("protect", recipe.protect().patterns());
        }
        return form;
    }

    private static Object part(Part part) {
        if (part.parameters().isEmpty()) {
            return part.method();
        }
        Map<String, Object> form = new LinkedHashMap<>();
        form.put("method", part.method());
        form.putAll(new TreeMap<>(part.parameters()));
        return form;
    }

    private static Map<String, Object> select(Recipe recipe) {
        Pattern pattern = recipe.select().pattern();
        Map<String, Object> form = new LinkedHashMap<>();
        form.put("pattern", PatternSyntax.describe(pattern));
        Group group =
                switch (pattern) {
                    case Pattern.Unstructured unstructured -> unstructured.group();
                    case Pattern.Tiles tiles -> tiles.group();
                    case Pattern.NofM _ -> null;
                };
        if (group != null) {
            form.put("group", PatternSyntax.group(pattern));
            if (group instanceof Group.ColumnBlock block) {
                form.put("width", block.width());
            }
        }
        form.put("sparsity", recipe.select().sparsity());
        if (recipe.select().mixed()) {
            form.put("mixed", true);
        }
        return form;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
