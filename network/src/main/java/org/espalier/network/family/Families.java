package org.espalier.network.family;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The families that can be opened. A new family of a known kind is a file under {@code families/} and a name here. */
public final class Families {
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
                            + String.join(", ", known()));
        }
        return family;
    }

    private static Map<String, Family> read() {
        YAMLMapper mapper =
                YAMLMapper.builder()
                        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                        .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                        .build();
        Map<String, Family> families = new TreeMap<>();
        for (String file : FILES) {
            String resource = "/org/espalier/network/families/" + file + ".yaml";
            try (InputStream stream = Families.class.getResourceAsStream(resource)) {
                if (stream == null) {
                    throw new IllegalStateException("missing resource " + resource);
                }
                Family family = mapper.readValue(stream, Family.class);
                families.put(family.modelType(), family);
            } catch (IOException e) {
                throw new UncheckedIOException(resource, e);
            }
        }
        return families;
    }
}
