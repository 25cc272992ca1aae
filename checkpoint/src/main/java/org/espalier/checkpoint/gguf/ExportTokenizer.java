package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.espalier.checkpoint.Text;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.sentencepiece.PieceMerges;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes of a {@code tokenizer.json} the {@code tokenizer.ggml.*} of a GGUF file: byte-level BPE ("gpt2") and
 * SentencePiece BPE with byte fallback ("llama"). What llama.cpp would read differently is refused.
 */
final class ExportTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");
    private static final String RUNS = " {2,}";
    private static final long NORMAL = 1;
    private static final long UNKNOWN = 2;
    private static final long CONTROL = 3;
    private static final long USER_DEFINED = 4;
    private static final long UNUSED = 5;
    private static final long BYTE_TOKEN = 6;

    private final String where;
    private final ObjectNode json;
    private final JsonNode bpe;
    private final List<@Nullable String> tokens = new ArrayList<>();
    private final List<Long> types = new ArrayList<>();
    private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
    private final Map<String, GgufValue> entries = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private ExportTokenizer(String where, ObjectNode json) {
        this.where = where;
        this.json = json;
        this.bpe = json.path("model");
    }

    /**
     * The entries, in the converter's order.
     *
     * @param where names the model in messages
     * @param json {@code tokenizer.json}
     * @param tokenizer the same, running
     * @param rows number of rows of the embedding; ids without a token get one that no text has
     * @param note told what is lost, a sentence each
     */
    static Map<String, GgufValue> of(
            String where, ObjectNode json, Tokenizer tokenizer, long rows, Consumer<String> note) {
        ExportTokenizer export = new ExportTokenizer(where, json);
        Map<String, GgufValue> entries = export.build(tokenizer, (int) rows);
        export.notes.forEach(note);
        return entries;
    }

    private Map<String, GgufValue> build(Tokenizer tokenizer, int rows) {
        if (!bpe.path("type").asString("BPE").equals("BPE") || !bpe.path("vocab").isObject()) {
            throw refused("is no BPE");
        }
        boolean pieces = bpe.path("byte_fallback").asBoolean(false);
        readTokens(rows);
        entries.put(PREFIX + "model", new GgufValue.Text(pieces ? "llama" : "gpt2"));
        if (pieces) {
            requireSpaces();
            entries.put(PREFIX + "pre", new GgufValue.Text("default"));
        } else {
            PreTokenizer.Named named = PreTokenizer.nameOf(json, where);
            entries.put(PREFIX + "pre", new GgufValue.Text(named.name()));
            if (named.note() != null) {
                notes.add(named.note());
            }
        }
        List<String> names = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            names.add(token == null ? "[PAD" + id + "]" : token);
        }
        entries.put(PREFIX + "tokens", new GgufValue.Texts(names));
        List<String[]> merges = merges();
        if (pieces) {
            entries.put(
                    PREFIX + "scores",
                    new GgufValue.Reals(scores(merges, names), GgufValueType.F32));
        }
        entries.put(PREFIX + "token_type", ExportMetadata.wholes(types));
        if (!pieces) {
            List<String> texts =
                    merges.stream()
                            .map(merge -> spaced(merge[0]) + " " + spaced(merge[1]))
                            .toList();
            entries.put(PREFIX + "merges", new GgufValue.Texts(texts));
        }
        id("bos", tokenizer.bosId());
        id("eos", tokenizer.eosId());
        Integer unknown = vocabulary.get(bpe.path("unk_token").asString(""));
        id("unknown", unknown == null ? OptionalInt.empty() : OptionalInt.of(unknown));
        flag("add_bos_token", tokenizer.addsBos());
        flag("add_eos_token", tokenizer.addsEos());
        if (pieces) {
            flag("add_space_prefix", prependsSpace());
        }
        return entries;
    }

    private void readTokens(int rows) {
        tokens.addAll(Collections.nCopies(rows, null));
        types.addAll(Collections.nCopies(rows, UNUSED));
        String unknown = bpe.path("unk_token").asString("");
        bpe.path("vocab")
                .properties()
                .forEach(entry -> {
                    String token = entry.getKey();
                    long type =
                            token.equals(unknown)
                                    ? UNKNOWN
                                    : BYTE.matcher(token).matches() ? BYTE_TOKEN : NORMAL;
                    put(entry.getValue().asInt(-1), token, type);
                });
        for (JsonNode added : json.path("added_tokens")) {
            String token = added.path("content").asString("");
            int id = vocabulary.getOrDefault(token, added.path("id").asInt(-1));
            boolean special = added.path("special").asBoolean(false);
            put(id, token, token.equals(unknown) ? UNKNOWN : special ? CONTROL : USER_DEFINED);
        }
    }

    private void put(int id, String token, long type) {
        if (id < 0 || id >= tokens.size()) {
            throw refused(
                    "gives the token "
                            + Text.quote(token)
                            + " the id "
                            + id
                            + ", where the model has "
                            + tokens.size()
                            + " embeddings");
        }
        tokens.set(id, token);
        types.set(id, type);
        vocabulary.put(token, id);
    }

    private List<String[]> merges() {
        List<String[]> merges = new ArrayList<>();
        for (JsonNode merge : bpe.path("merges")) {
            String[] parts =
                    merge.isArray()
                            ? new String[] {merge.path(0).asString(""), merge.path(1).asString("")}
                            : merge.asString("").split(" ", 2);
            if (parts.length != 2 || !vocabulary.containsKey(parts[0] + parts[1])) {
                throw refused("has the merge " + Text.quote(merge.toString()) + " into no token");
            }
            merges.add(parts);
        }
        return merges;
    }

    /**
     * SentencePiece joins by the score of the union, so a token's score is how late it is made. The merges that follow
     * from these scores must be the ones that were given.
     */
    private List<Double> scores(List<String[]> merges, List<String> names) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        for (String[] merge : merges) {
            ranks.putIfAbsent(merge[0] + merge[1], ranks.size());
        }
        List<Double> scores = new ArrayList<>();
        for (int id = 0; id < names.size(); id++) {
            Integer rank = ranks.get(names.get(id));
            double unmade = types.get(id) == NORMAL ? -ranks.size() : 0;
            scores.add(rank == null ? unmade : -rank);
        }
        Map<String, Integer> normal = new LinkedHashMap<>(vocabulary);
        normal.values().removeIf(id -> types.get(id) != NORMAL);
        // Converters differ in whether a user-defined piece may be half of another one; llama.cpp
        // never joins it.
        boolean same =
                follows(merges, PieceMerges.of(names, scores, types, vocabulary))
                        || follows(merges, PieceMerges.of(names, scores, types, normal));
        if (!same) {
            throw refused("merges in an order that no scores of its pieces give");
        }
        return scores;
    }

    private static boolean follows(List<String[]> merges, List<PieceMerges.Merge> again) {
        boolean same = again.size() == merges.size();
        for (int i = 0; same && i < again.size(); i++) {
            PieceMerges.Merge merge = again.get(i);
            same = (merge.left() + merge.right()).equals(merges.get(i)[0] + merges.get(i)[1]);
        }
        return same;
    }

    /** llama.cpp always writes spaces as U+2581 and changes nothing else of a text. */
    private void requireSpaces() {
        String text = json.path("normalizer").toString() + json.path("pre_tokenizer");
        if (!text.contains(PieceMerges.SPACE)) {
            throw refused("does not write spaces as U+2581");
        }
        JsonNode normalizer = json.path("normalizer");
        boolean several = normalizer.path("type").asString("").equals("Sequence");
        for (JsonNode step : several ? normalizer.path("normalizers") : List.of(normalizer)) {
            String type = step.path("type").asString("Prepend");
            boolean blanks =
                    type.equals("Replace")
                            && step.path("pattern").path("Regex").asString("").equals(RUNS);
            boolean known =
                    type.equals("Prepend")
                            || (type.equals("Replace")
                                    && step.path("pattern")
                                            .path("String")
                                            .asString("")
                                            .equals(" "));
            if (blanks) {
                notes.add(
                        "the tokenizer makes one blank of several; llama.cpp keeps them all, so such texts become"
                                + " other tokens there");
            } else if (!known) {
                throw refused("changes texts (" + Text.line(type) + ")");
            }
        }
    }

    private boolean prependsSpace() {
        String normalizer = json.path("normalizer").toString();
        String before = json.path("pre_tokenizer").toString();
        return normalizer.contains("\"Prepend\"")
                || before.contains("\"prepend_scheme\":\"always\"")
                || before.contains("\"prepend_scheme\":\"first\"")
                || before.contains("\"add_prefix_space\":true");
    }

    /** A space inside a part would end it. */
    private static String spaced(String part) {
        return part.replace(' ', '\u0120');
    }

    private void id(String which, OptionalInt id) {
        id.ifPresent(
                value -> entries.put(PREFIX + which + "_token_id", ExportMetadata.whole(value)));
    }

    private void flag(String name, boolean value) {
        entries.put(PREFIX + name, new GgufValue.Flag(value));
    }

    private UserError refused(String fault) {
        return new UserError(
                "the tokenizer of "
                        + where
                        + " "
                        + fault
                        + ", which GGUF cannot say; export to safetensors instead");
    }
}
