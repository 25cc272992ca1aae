package org.espalier.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.espalier.core.pattern.PatternSyntax;
import org.espalier.core.recipe.Recipe;
import org.espalier.prune.Method;
import org.espalier.prune.RecipeBook;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code recipes}: the methods that can be named, and the check of a file of one's own. */
@Command(
        name = "recipes",
        description = "Lists, shows and checks recipes. A recipe names one part per axis.",
        sortOptions = false)
final class RecipesCommand implements Callable<Integer> {
    private final Console console;

    @SuppressWarnings("UnusedVariable") // picocli reads it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    /**
     * A shipped recipe, as {@code list --json} prints it.
     *
     * @param arxiv number of its paper, or empty
     */
    record Entry(
            String name,
            String pattern,
            double sparsity,
            String paper,
            String arxiv,
            String summary) {}

    RecipesCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        return list(false);
    }

    @Command(
            name = "list",
            description = "Lists the recipes that come with espalier (the default).")
    int list(
            @Option(names = "--json", description = "Print the result as one JSON object.")
                    boolean json) {
        RecipeBook book = RecipeBook.shipped();
        List<Entry> entries = new ArrayList<>();
        for (String name : book.names()) {
            Recipe recipe = book.recipe(name);
            Recipe.Paper paper = recipe.paper();
            entries.add(
                    new Entry(
                            name,
                            PatternSyntax.describe(recipe.select().pattern()),
                            recipe.select().sparsity(),
                            paper == null ? "" : paper.title(),
                            paper == null ? "" : Objects.requireNonNullElse(paper.arxiv(), ""),
                            recipe.summary()));
        }
        if (json) {
            console.json(Map.of("recipes", entries));
            return 0;
        }
        for (Entry entry : entries) {
            console.out()
                    .println(
                            Words.format(
                                    "%-22s %-12s %s",
                                    entry.name(), entry.arxiv(), entry.summary()));
        }
        return 0;
    }

    @Command(name = "show", description = "Prints a recipe, ready to be saved and changed.")
    int show(
            @Parameters(paramLabel = "NAME", description = "Name of a shipped recipe.")
                    String name) {
        console.out().print(RecipeBook.shipped().text(name));
        console.out().flush();
        return 0;
    }

    @Command(name = "check", description = "Checks a recipe file and names every fault.")
    int check(
            @Parameters(
                            paramLabel = "FILE",
                            description = "A YAML file, or the name of a shipped recipe.")
                    String file) {
        Recipe recipe = RecipeBook.shipped().recipe(file);
        Method.of(recipe);
        console.out().println(file + ": recipe " + recipe.name() + " is good");
        return 0;
    }
}
