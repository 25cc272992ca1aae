package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the files beside a tokenizer say of it, in the order of transformers ({@code
 * PreTrainedTokenizerBase._from_pretrained}): {@code special_tokens_map.json} goes before {@code tokenizer_config.json}
 * unless that lists {@code added_tokens_decoder}; then the defaults of the class; ids of config.json and
 * generation_config.json name what is left.
 */
final class TokenizerSettings {
    static final String CONFIG = "tokenizer_config.json";
    static final String MAP = "special_tokens_map.json";
    static final String ADDED = "added_tokens.json";

    /** The roles that a token can have. */
    private static final List<String> ROLES = List.of("bos", "eos", "unk", "pad", "sep", "cls");

    private final Path folder;
    private final ObjectNode config;
    private final String className;
    private final TokenizerClass kind;
    private final Map<String, AddedToken> roles = new LinkedHashMap<>();
    private final Map<Integer, AddedToken> added = new TreeMap<>();
    private final List<String> notes = new ArrayList<>();

    private TokenizerSettings(Path folder) {
        this.folder = folder;
        this.config = read(CONFIG);
        ObjectNode model = read(ModelFolder.CONFIG);
        String name = config.path("tokenizer_class").asString("");
        this.className = name.isEmpty() ? model.path("tokenizer_class").asString("") : name;
        this.kind = TokenizerClass.of(className, model.path("model_type").asString(""));
        readNames();
        readAdded();
    }

    /** Looks into the files of a folder. */
    static TokenizerSettings beside(Path folder) {
        return new TokenizerSettings(folder);
    }

    private void readNames() {
        boolean listed = config.path("added_tokens_decoder").isObject();
        ObjectNode map = read(MAP);
        for (String role : ROLES) {
            AddedToken here = token(config.path(role + "_token"));
            AddedToken there = token(map.path(role + "_token"));
            if (here != null && there != null && !here.content().equals(there.content())) {
                notes.add(
                        "the "
                                + role
                                + " token is "
                                + Text.quote(here.content())
                                + " in "
                                + CONFIG
                                + " and "
                                + Text.quote(there.content())
                                + " in "
                                + MAP
                                + "; "
                                + (listed ? CONFIG : MAP)
                                + " counts, as in transformers");
            }
            AddedToken found = listed || there == null ? here : there;
            boolean refused = found == null && config.path(role + "_token").isNull();
            String fallback = refused ? null : kind.token(role);
            if (found == null && fallback != null) {
                found = AddedToken.special(null, fallback);
            }
            if (found != null) {
                roles.put(role, found);
            }
        }
    }

    private static @Nullable AddedToken token(JsonNode json) {
        String content = json.isObject() ? json.path("content").asString("") : json.asString("");
        if (content.isEmpty()) {
            return null;
        }
        AddedToken plain = AddedToken.special(null, content);
        return json.isObject()
                ? new AddedToken(
                        null,
                        content,
                        json.path("single_word").asBoolean(false),
                        json.path("lstrip").asBoolean(false),
                        json.path("rstrip").asBoolean(false),
                        json.path("normalized").asBoolean(false),
                        true)
                : plain;
    }

    private void readAdded() {
        JsonNode listed = config.path("added_tokens_decoder");
        listed.properties()
                .forEach(entry -> add(entry.getKey(), AddedToken.of(null, entry.getValue())));
        if (listed.isObject()) {
            return;
        }
        read(ADDED)
                .properties()
                .forEach(entry -> {
                    String content = entry.getKey();
                    boolean special =
                            roles.values().stream()
                                    .anyMatch(role -> role.content().equals(content));
                    add(
                            entry.getValue().asString(),
                            new AddedToken(null, content, false, false, false, !special, special));
                });
    }

    private void add(String id, AddedToken token) {
        if (!id.matches("[0-9]{1,9}") || token.content().isEmpty()) {
            notes.add(
                    "the added token "
                            + Text.quote(token.content())
                            + " has no id and is left out");
            return;
        }
        added.put(
                Integer.valueOf(id),
                new AddedToken(
                        Integer.valueOf(id),
                        token.content(),
                        token.singleWord(),
                        token.lstrip(),
                        token.rstrip(),
                        token.normalized(),
                        token.special()));
    }

    /** The class of transformers that reads this tokenizer. */
    TokenizerClass kind() {
        return kind;
    }

    /** The name of that class; empty where no file says. */
    String className() {
        return className;
    }

    /** The token of a role; null where there is none. */
    @Nullable AddedToken role(String role) {
        return roles.get(role);
    }

    /** All tokens with a role. */
    List<AddedToken> roles() {
        return List.copyOf(roles.values());
    }

    /** Added tokens by id. */
    Map<Integer, AddedToken> added() {
        return added;
    }

    /** A switch of tokenizer_config.json; null where it does not say. */
    @Nullable Boolean flag(String key) {
        JsonNode value = config.get(key);
        return (value == null || !value.isBoolean()) ? null : value.booleanValue();
    }

    /** Whether a text begins with BOS by what the class does; null where the class leaves that to tokenizer.json. */
    @Nullable Boolean begins() {
        return kind.rewritesPostProcessor()
                ? Objects.requireNonNullElse(flag("add_bos_token"), kind.addsBosByItself())
                : null;
    }

    /** Whether a text ends with EOS by what the class does; null where the class leaves that to tokenizer.json. */
    @Nullable Boolean ends() {
        return kind.rewritesPostProcessor()
                ? Objects.requireNonNullElse(flag("add_eos_token"), false)
                : null;
    }

    /** The id that config.json or else generation_config.json gives a role; null where neither does. */
    @Nullable Integer id(String role) {
        for (String name : List.of(ModelFolder.CONFIG, StopTokens.FILE)) {
            JsonNode id = read(name).path(role + "_token_id");
            JsonNode first = id.isArray() ? id.path(0) : id;
            if (first.isInt()) {
                return first.asInt();
            }
        }
        return null;
    }

    /** The token that the tokenizer's own file has for a role, for where no other file names one. */
    void suggest(String role, String content) {
        roles.putIfAbsent(role, AddedToken.special(null, content));
    }

    /** Where files disagree, and what counts; one line each. */
    List<String> notes() {
        return notes;
    }

    private ObjectNode read(String name) {
        Path file = folder.resolve(name);
        return Files.isRegularFile(file) ? Json.readObject(file) : Json.MAPPER.createObjectNode();
    }
}
