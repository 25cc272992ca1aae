package org.espalier.network.family;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A key of config.json.
 *
 * @param key its name
 * @param also other names of the same thing, read where {@code key} is absent; null: none
 * @param fallback {@code default} in the file: the value where the key is absent; null where the key must be there
 */
public record Setting(
        String key,
        @Nullable List<String> also,
        @JsonProperty("default") @Nullable JsonNode fallback) {}
