package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A folder's tokenizer, put together as transformers does: the tokenizer itself, and what the files beside it add.
 *
 * @param json what {@code tokenizer.json} would say of all that, but for the preparation
 * @param special the tokens that begin and end a text
 * @param preparation what is done to a text before
 * @param described what {@code tokenizer.json} would say of the preparation; null where there is none
 * @param notes where files disagree, and what counts; one line each
 */
record TokenizerParts(
        ObjectNode json,
        SpecialTokens special,
        TextPreparation preparation,
        @Nullable ObjectNode described,
        List<String> notes) {
    /** Puts a form of tokenizer together with the settings beside it. */
    static TokenizerParts of(TokenizerForm form, TokenizerSettings settings) {
        List<String> notes = new ArrayList<>(settings.notes());
        notes.addAll(form.notes());
        ObjectNode json = form.json();
        addTokens(json, settings, notes);
        prefixSpace(json, settings, notes);
        postProcessor(form, settings, notes);
        Vocabulary vocabulary = Vocabulary.of(json);
        return new TokenizerParts(
                json,
                SpecialTokens.of(settings, vocabulary),
                form.preparation(),
                form.described(),
                List.copyOf(notes));
    }

    /** Tokens that only the files beside know are found in texts as well. */
    private static void addTokens(ObjectNode json, TokenizerSettings settings, List<String> notes) {
        Map<String, Integer> present = new HashMap<>();
        JsonNode given = json.path("added_tokens");
        given.forEach(token ->
                present.put(token.path("content").asString(""), token.path("id").asInt(-1)));
        ArrayNode tokens = given instanceof ArrayNode array ? array : json.putArray("added_tokens");
        Vocabulary vocabulary = Vocabulary.of(json);
        int next = vocabulary.size();
        for (AddedToken token : settings.added().values()) {
            Integer id = present.get(token.content());
            if (id == null) {
                int number = vocabulary.id(token.content()).orElse(next);
                next = Math.max(next, number + 1);
                token.put(tokens.addObject(), number);
                present.put(token.content(), number);
            } else if (!id.equals(token.id())) {
                notes.add(
                        "the token "
                                + Text.quote(token.content())
                                + " is "
                                + token.id()
                                + " in "
                                + TokenizerSettings.CONFIG
                                + " and "
                                + id
                                + " in the tokenizer, which counts");
            }
        }
        for (AddedToken token : settings.roles()) {
            // One that has no id yet would be numbered beyond the model's embedding.
            OptionalInt id = vocabulary.id(token.content());
            if (id.isPresent() && present.putIfAbsent(token.content(), id.getAsInt()) == null) {
                token.put(tokens.addObject(), id.getAsInt());
            }
        }
    }

    private static void prefixSpace(
            ObjectNode json, TokenizerSettings settings, List<String> notes) {
        Boolean wanted = settings.flag("add_prefix_space");
        if (wanted == null
                || !(json.path("pre_tokenizer") instanceof ObjectNode step)
                || !step.path("type").asString("").equals("ByteLevel")
                || step.path("add_prefix_space").asBoolean(true) == wanted) {
            return;
        }
        step.put("add_prefix_space", wanted);
        notes.add(
                "add_prefix_space is "
                        + wanted
                        + " in "
                        + TokenizerSettings.CONFIG
                        + " and not in the tokenizer; "
                        + TokenizerSettings.CONFIG
                        + " counts, as in transformers");
    }

    private static void postProcessor(
            TokenizerForm form, TokenizerSettings settings, List<String> notes) {
        ObjectNode json = form.json();
        PostProcessors.Around before = PostProcessors.around(json.path("post_processor"));
        Boolean begins = settings.begins();
        Boolean ends = settings.ends();
        if (!form.isTokenizerJson()) {
            begins =
                    Objects.requireNonNullElse(
                            settings.flag("add_bos_token"), settings.kind().addsBosByItself());
            ends = Objects.requireNonNullElse(settings.flag("add_eos_token"), false);
        }
        if (begins == null || ends == null) {
            ignored(settings, "bos", before.first(), notes);
            ignored(settings, "eos", before.last(), notes);
            return;
        }
        Vocabulary vocabulary = Vocabulary.of(json);
        PostProcessors.Token first = begins ? token(settings, vocabulary, "bos") : null;
        PostProcessors.Token last = ends ? token(settings, vocabulary, "eos") : null;
        if ((begins && first == null) || (ends && last == null)) {
            if (settings.flag("add_bos_token") != null || settings.flag("add_eos_token") != null) {
                notes.add(
                        TokenizerSettings.CONFIG
                                + " wants a token before or behind each text, but the vocabulary has"
                                + " none; the tokenizer stays as it is");
            }
            return;
        }
        var after = new PostProcessors.Around(content(first), content(last));
        if (after.equals(before)) {
            return;
        }
        PostProcessors.put(json, first, last);
        if (form.isTokenizerJson()) {
            String name = settings.className();
            notes.add(
                    "tokenizer.json puts "
                            + words(before)
                            + " a text, "
                            + (name.isEmpty() ? "the model's tokenizer class" : name)
                            + " with "
                            + TokenizerSettings.CONFIG
                            + " "
                            + words(after)
                            + "; the latter counts, as in transformers");
        }
    }

    /** A class that leaves all to tokenizer.json does not look at the switch. */
    private static void ignored(
            TokenizerSettings settings, String role, @Nullable String there, List<String> notes) {
        Boolean wanted = settings.flag("add_" + role + "_token");
        AddedToken token = settings.role(role);
        boolean found = token != null && token.content().equals(there);
        if (wanted != null && wanted != found) {
            notes.add(
                    TokenizerSettings.CONFIG
                            + " says add_"
                            + role
                            + "_token: "
                            + wanted
                            + ", but tokenizer.json "
                            + (found ? "adds it" : "adds none")
                            + "; tokenizer.json counts, as in transformers for "
                            + (settings.className().isEmpty()
                                    ? "this model"
                                    : settings.className()));
        }
    }

    private static PostProcessors.@Nullable Token token(
            TokenizerSettings settings, Vocabulary vocabulary, String role) {
        AddedToken token = settings.role(role);
        OptionalInt id = token == null ? OptionalInt.empty() : vocabulary.id(token.content());
        return token == null || id.isEmpty()
                ? null
                : new PostProcessors.Token(token.content(), id.getAsInt());
    }

    private static @Nullable String content(PostProcessors.@Nullable Token token) {
        return token == null ? null : token.content();
    }

    private static String words(PostProcessors.Around around) {
        String first = around.first() == null ? "nothing" : Text.quote(around.first());
        String last = around.last() == null ? "nothing" : Text.quote(around.last());
        return first + " before and " + last + " behind";
    }
}
