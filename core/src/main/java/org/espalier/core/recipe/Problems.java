package org.espalier.core.recipe;

import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;

/** Collects the faults of a recipe, each with the path of its key, so that all are reported together. */
public final class Problems {
    private final String source;
    private final List<String> faults = new ArrayList<>();

    /**
     * @param source what is being checked, as the user knows it ("recipe wanda", "recipes/mine.yaml")
     */
    public Problems(String source) {
        this.source = source;
    }

    /** What is being checked, as the user knows it. */
    public String source() {
        return source;
    }

    /**
     * Notes a fault.
     *
     * @param path path of the key, such as {@code select.sparsity}
     * @param message what is wrong and what would be right
     */
    public void add(String path, String message) {
        faults.add(path + ": " + message);
    }

    public boolean isEmpty() {
        return faults.isEmpty();
    }

    /** The faults in the order in which they were found, each as {@code path: message}. */
    public List<String> faults() {
        return List.copyOf(faults);
    }

    /** Throws one {@link UserError} that names every fault, if there is any. */
    public void throwIfAny() {
        if (!faults.isEmpty()) {
            throw new UserError(source + ": " + String.join("; ", faults));
        }
    }
}
