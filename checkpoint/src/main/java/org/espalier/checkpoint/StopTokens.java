package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.espalier.core.UserError;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The tokens at which a model's writing ends: those of generation_config.json; where it names none, those of
 * config.json; where neither does, the tokenizer's. So it is in transformers ({@code GenerationConfig.from_pretrained}),
 * which then writes on for ever only where none of the three names one.
 *
 * @param ids the tokens, possibly none
 * @param notes where files disagree, one line each
 */
public record StopTokens(List<Long> ids, List<String> notes) {
    static final String FILE = "generation_config.json";

    public StopTokens {
        ids = List.copyOf(ids);
        notes = List.copyOf(notes);
    }

    /**
     * Looks them up.
     *
     * @param vocabulary number of tokens of the model; ids beyond are never written and left out
     */
    public static StopTokens of(Checkpoint checkpoint, long vocabulary) {
        List<String> notes = new ArrayList<>();
        List<Long> config =
                ids(checkpoint.config(), ModelFolder.CONFIG, vocabulary, new ArrayList<>());
        List<Long> generation = ids(generation(checkpoint, notes), FILE, vocabulary, notes);
        List<Long> found = generation.isEmpty() ? config : generation;
        if (!generation.isEmpty()
                && !config.isEmpty()
                && !new HashSet<>(generation).equals(new HashSet<>(config))) {
            notes.add(
                    "a text ends at token "
                            + words(generation)
                            + " by "
                            + FILE
                            + " and at "
                            + words(config)
                            + " by config.json; "
                            + FILE
                            + " counts, as in transformers");
        }
        if (checkpoint.hasTokenizer()) {
            var own = checkpoint.tokenizer().eosId();
            if (own.isPresent() && found.isEmpty()) {
                return new StopTokens(List.of((long) own.getAsInt()), notes);
            }
            if (own.isPresent() && !found.contains((long) own.getAsInt())) {
                notes.add(
                        "the tokenizer ends a text with token "
                                + own.getAsInt()
                                + ", but writing stops at "
                                + words(found)
                                + (generation.isEmpty() ? " (config.json)" : " (" + FILE + ")")
                                + ", as in transformers");
            }
        }
        return new StopTokens(found, notes);
    }

    private static JsonNode generation(Checkpoint checkpoint, List<String> notes) {
        try {
            byte[] bytes = checkpoint.sideFile(FILE);
            return bytes == null ? Json.MAPPER.createObjectNode() : Json.MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            notes.add(FILE + " is no valid JSON (" + Json.reason(e) + ") and is not followed");
        } catch (UserError e) {
            notes.add(FILE + " is not followed: " + e.getMessage());
        }
        return Json.MAPPER.createObjectNode();
    }

    private static List<Long> ids(
            JsonNode settings, String file, long vocabulary, List<String> notes) {
        JsonNode value = settings.path("eos_token_id");
        List<Long> ids = new ArrayList<>();
        for (JsonNode id : value.isArray() ? value : List.of(value)) {
            boolean usable =
                    id.isIntegralNumber()
                            && id.canConvertToLong()
                            && id.longValue() >= 0
                            && id.longValue() < vocabulary;
            if (usable && !ids.contains(id.longValue())) {
                ids.add(id.longValue());
            } else if (!usable && !id.isMissingNode() && !id.isNull()) {
                notes.add(
                        file
                                + " ends a text at "
                                + Text.quote(id.toString())
                                + ", which is none of the model's "
                                + vocabulary
                                + " tokens and is left out");
            }
        }
        return ids;
    }

    private static String words(List<Long> ids) {
        return ids.size() == 1 ? ids.getFirst().toString() : ids.toString();
    }
}
