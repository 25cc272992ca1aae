package org.espalier.network.text;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One sequence of token ids. Where {@code attention_mask} says that the ends are padding, they are left out: with the
 * positions that it implies, transformers computes the same for the rest.
 */
final class TokenRow {
    private static final String MASK = "attention_mask";
    private static final String LABELS = "labels";

    /** The same id so often at an end looks like padding. */
    private static final int RUN = 16;

    private final Function<String, UserError> fault;
    private final long[] ids;
    private final @Nullable String note;

    /**
     * Reads a row.
     *
     * @param fault makes the refusal of this row
     * @param row an object with {@code input_ids}
     */
    TokenRow(Function<String, UserError> fault, JsonNode row) {
        this.fault = fault;
        long[] all = ids(row.path(Rows.IDS));
        int[] range = range(row.path(MASK), all.length);
        this.ids = Arrays.copyOfRange(all, range[0], range[1]);
        this.note = note(row, range);
    }

    long[] ids() {
        return ids;
    }

    /** What the user should know of it, to follow the name of the file. */
    Optional<String> note() {
        return Optional.ofNullable(note);
    }

    private long[] ids(JsonNode value) {
        if (!value.isArray() || value.isEmpty()) {
            throw fault.apply("\"input_ids\" must be a list of at least one token id");
        }
        long[] read = new long[value.size()];
        for (int i = 0; i < read.length; i++) {
            JsonNode id = value.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.asInt() < 0) {
                String shown = id.isContainer() ? "a list" : id.toString();
                throw fault.apply(
                        "\"input_ids\" has "
                                + shown.substring(0, Math.min(shown.length(), 40))
                                + " at position "
                                + i
                                + ", which is no token id");
            }
            read[i] = id.asInt();
        }
        return read;
    }

    /** From the first token that counts to the one after the last. */
    private int[] range(JsonNode mask, int length) {
        if (mask.isMissingNode() || mask.isNull()) {
            return new int[] {0, length};
        }
        if (!mask.isArray() || mask.size() != length) {
            throw fault.apply(
                    "\"attention_mask\" must be a list as long as \"input_ids\", "
                            + length
                            + " numbers, but "
                            + (mask.isArray() ? "has " + mask.size() : "is no list"));
        }
        int first = length;
        int end = 0;
        int counted = 0;
        for (int i = 0; i < length; i++) {
            if (isOne(mask.get(i), i)) {
                first = Math.min(first, i);
                end = i + 1;
                counted++;
            }
        }
        if (counted == 0) {
            throw fault.apply("\"attention_mask\" leaves no token; remove the line");
        }
        if (counted != end - first) {
            throw fault.apply(
                    "\"attention_mask\" has a 0 between ones; only padding at the ends can be left out");
        }
        return new int[] {first, end};
    }

    private boolean isOne(JsonNode value, int position) {
        if (value.isBoolean()) {
            return value.asBoolean();
        }
        boolean one = value.isNumber() && value.asDouble() == 1;
        if (!one && !(value.isNumber() && value.asDouble() == 0)) {
            String shown = value.isContainer() ? "a list" : value.toString();
            throw fault.apply(
                    "\"attention_mask\" has "
                            + shown.substring(0, Math.min(shown.length(), 40))
                            + " at position "
                            + position
                            + " where 0 or 1 is needed");
        }
        return one;
    }

    private @Nullable String note(JsonNode row, int[] range) {
        JsonNode labels = row.path(LABELS);
        for (int i = range[0]; i < Math.min(range[1], labels.size()); i++) {
            if (labels.get(i).asInt(0) < 0) {
                return ": \"labels\" are not looked at, so tokens with the label -100 count like all others";
            }
        }
        boolean masked = row.path(MASK).isArray();
        if (!masked && (run(0, 1) >= RUN || run(ids.length - 1, -1) >= RUN)) {
            return ": a sequence begins or ends with the same token many times and has no attention_mask; if that"
                    + " is padding, it counts as text";
        }
        return null;
    }

    private int run(int start, int step) {
        int length = 0;
        for (int i = start; i >= 0 && i < ids.length && ids[i] == ids[start]; i += step) {
            length++;
        }
        return length;
    }
}
