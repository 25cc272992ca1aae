package org.espalier.prune;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.espalier.core.recipe.Problems;
import org.espalier.core.recipe.Recipe;
import org.espalier.core.recipe.RecipeReader;

/** The recipes that come with Espalier, by name, and recipes of the user's own, by path. */
public final class RecipeBook {
    private static final String SUFFIX = ".yaml";
    private static final long LARGEST_RECIPE = 1 << 20;

    private final SortedMap<String, String> texts;

    private RecipeBook(SortedMap<String, String> texts) {
        this.texts = texts;
    }

    /** The book that is part of this build. */
    public static RecipeBook shipped() {
        URL anchor = RecipeBook.class.getResource("recipes/wanda" + SUFFIX);
        if (anchor == null) {
            throw new IllegalStateException("the recipes are missing from this build");
        }
        try {
            URI uri = anchor.toURI();
            if (!uri.getScheme().equals("jar")) {
                return read(Path.of(uri).resolveSibling(""));
            }
            try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                return read(jar.provider().getPath(uri).resolveSibling(""));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Names of the recipes, in alphabetical order. */
    public Iterable<String> names() {
        return texts.keySet();
    }

    /** The YAML text of a shipped recipe. */
    public String text(String name) {
        String text = texts.get(name);
        if (text == null) {
            throw new UserError(
                    "no recipe is called '"
                            + name
                            + "'; known are "
                            + String.join(", ", texts.keySet())
                            + "; a file of your own is given by its path and ends in .yaml");
        }
        return text;
    }

    /**
     * Reads a recipe.
     *
     * @param nameOrPath name of a shipped recipe, or path of a YAML file
     * @throws UserError that names every fault
     */
    public Recipe recipe(String nameOrPath) {
        if (texts.containsKey(nameOrPath)) {
            return check("recipe " + nameOrPath, text(nameOrPath));
        }
        boolean looksLikePath =
                nameOrPath.endsWith(SUFFIX)
                        || nameOrPath.endsWith(".yml")
                        || nameOrPath.contains("/");
        if (!looksLikePath) {
            text(nameOrPath);
        }
        return check(nameOrPath, readFile(Path.of(nameOrPath)));
    }

    /** Reads a text and looks up its parts, so that faults of both kinds are reported together. */
    private static Recipe check(String source, String yaml) {
        Problems problems = new Problems(source);
        Recipe recipe = RecipeReader.read(yaml, problems);
        Method.of(recipe, problems);
        problems.throwIfAny();
        return recipe;
    }

    private static String readFile(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new UserError(path + ": no such recipe file");
        }
        try {
            if (Files.size(path) > LARGEST_RECIPE) {
                throw new UserError(
                        path
                                + ": a recipe is a short YAML file, this has "
                                + Files.size(path)
                                + " bytes");
            }
            return Files.readString(path);
        } catch (MalformedInputException e) {
            throw new UserError(path + ": a recipe is UTF-8 text, this file is not", e);
        } catch (IOException e) {
            throw new UserError(path + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static RecipeBook read(Path folder) throws IOException {
        SortedMap<String, String> texts = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
                String name = String.valueOf(file.getFileName());
                texts.put(
                        name.substring(0, name.length() - SUFFIX.length()), Files.readString(file));
            }
        }
        return new RecipeBook(texts);
    }
}
