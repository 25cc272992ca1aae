package org.espalier.network.family;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * The families that can be opened. A new family of a known kind is a file under {@code families/} and a name here, or a
 * file {@value #BESIDE} beside the weights of a model.
 */
public final class Families {
    /** Name of the descriptor that a model's folder may bring along; it goes before those that are known. */
    public static final String BESIDE = "espalier-family.yaml";

    /** Names of the descriptor files: a class path cannot be listed portably. */
    private static final List<String> FILES =
            List.of(
                    "bloom",
                    "deepseek_v2",
                    "deepseek_v3",
                    "gemma2",
                    "gemma3_text",
                    "gpt2",
                    "gpt_neox",
                    "llama",
                    "mistral",
                    "mixtral",
                    "olmoe",
                    "opt",
                    "phi3",
                    "qwen2",
                    "qwen2_moe",
                    "qwen3",
                    "qwen3_moe");

    private static final long LARGEST = 1 << 20;

    private static final Map<String, Family> FAMILIES = read();

    private Families() {}

    /** All known {@code model_type}s, sorted. */
    public static List<String> known() {
        return List.copyOf(FAMILIES.keySet());
    }

    /**
     * The family of a {@code model_type}; null or an unknown one is a {@link UserError} that lists the known ones.
     */
    public static Family of(@Nullable String modelType) {
        Family family = modelType == null ? null : FAMILIES.get(modelType);
        if (family == null) {
            throw new UserError(
                    (modelType == null
                                    ? "config.json has no model_type"
                                    : String.format(
                                            Locale.ROOT,
                                            "config.json: model_type '%s' is not supported",
                                            modelType))
                            + "; known are "
                            + String.join(", ", known())
                            + "; docs/adding-a-family.md says how to add one");
        }
        return family;
    }

    /**
     * Reads a descriptor that a user brings along.
     *
     * @param file a descriptor in YAML
     * @param modelType {@code model_type} of the config.json that it is for, or null where that has none
     * @throws UserError if it cannot be read, is no descriptor, or one of another {@code model_type}
     */
    public static Family read(Path file, @Nullable String modelType) {
        String yaml;
        try {
            if (Files.size(file) > LARGEST) {
                throw new UserError(
                        file
                                + " is larger than any descriptor of a family; see"
                                + " docs/adding-a-family.md");
            }
            yaml = Files.readString(file);
        } catch (IOException e) {
            throw new UserError(file + ": cannot be read as text", e);
        }
        Family family = FamilyReader.read(file.toString(), yaml);
        if (!family.modelType().equals(modelType)) {
            throw new UserError(
                    file
                            + " describes model_type "
                            + family.modelType()
                            + " but config.json says "
                            + modelType);
        }
        return family;
    }

    private static Map<String, Family> read() {
        Map<String, Family> families = new TreeMap<>();
        for (String file : FILES) {
            String resource = "/org/espalier/network/families/" + file + ".yaml";
            try (InputStream stream = Families.class.getResourceAsStream(resource)) {
                if (stream == null) {
                    throw new IllegalStateException("missing resource " + resource);
                }
                String yaml = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                Family family = FamilyReader.read(resource, yaml);
                families.put(family.modelType(), family);
            } catch (IOException e) {
                throw new UncheckedIOException(resource, e);
            }
        }
        return families;
    }
}
