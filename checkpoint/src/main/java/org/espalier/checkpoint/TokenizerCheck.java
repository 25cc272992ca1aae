package org.espalier.checkpoint;

import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.checkpoint.sentencepiece.Charsmap;
import org.espalier.core.UserError;
import tools.jackson.databind.JsonNode;

/**
 * Looks for what the tokenizers library would not refuse but fail on, in native code and with the whole process: each of
 * these was seen to end it.
 */
final class TokenizerCheck {
    /** Repeats what repeats, but in one way only (EXAONE). */
    private static final String UNAMBIGUOUS = "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+";

    /** A reference back to a group, by number or name. */
    private static final Pattern AGAIN =
            Pattern.compile("(?<!\\\\)(?:\\\\\\\\)*\\\\(?:[1-9]|k[<'])");

    /** A group of alternatives, without groups of its own, that repeats without bound and gives back. */
    private static final Pattern REPEATED_CHOICE =
            Pattern.compile("\\((?:\\?:)?([^()]*\\|[^()]*)\\)(?:[+*]|\\{\\d*,\\})(?!\\+)");

    /** What an alternative begins with, where that is one character and no other. */
    private static final Pattern FIRST_LITERAL =
            Pattern.compile("[\\p{L}\\p{N} ](?![?*{])|\\\\[rnt](?![?*{])");

    private final String source;

    private TokenizerCheck(String source) {
        this.source = source;
    }

    /** Checks a tokenizer.json; what would end the process is a {@link UserError}. */
    static void check(String source, JsonNode json) {
        TokenizerCheck check = new TokenizerCheck(source);
        for (String part :
                new String[] {"normalizer", "pre_tokenizer", "post_processor", "decoder"}) {
            check.part(json.path(part));
        }
        check.merges(json.path("model"));
    }

    private void part(JsonNode root) {
        Deque<JsonNode> left = new ArrayDeque<>();
        left.push(root);
        while (!left.isEmpty()) {
            JsonNode node = left.pop();
            node.forEach(left::push);
            switch (node.path("type").asString("")) {
                case "Precompiled" -> charsmap(node.path("precompiled_charsmap").asString(""));
                case "FixedLength" -> {
                    if (node.path("length").asLong(0) < 1) {
                        throw refused("cuts texts into pieces of no length");
                    }
                }
                case "TemplateProcessing" -> template(node);
                default -> {}
            }
            JsonNode regex = node.path("pattern").path("Regex");
            if (regex.isString() && canTryForEver(regex.asString())) {
                throw refused(
                        "cuts texts by "
                                + Text.quote(regex.asString())
                                + ", which can take for ever on some texts");
            }
        }
    }

    private void charsmap(String base64) {
        try {
            if (!Charsmap.isSafe(Base64.getDecoder().decode(base64))) {
                throw refused("has a table of characters that is damaged");
            }
        } catch (IllegalArgumentException e) {
            throw refused("has a table of characters that is damaged");
        }
    }

    private void template(JsonNode template) {
        Set<String> known = new HashSet<>();
        template.path("special_tokens").properties().forEach(entry -> known.add(entry.getKey()));
        for (String side : new String[] {"single", "pair"}) {
            for (JsonNode piece : template.path(side)) {
                String token = piece.path("SpecialToken").path("id").asString(null);
                if (token != null && !known.contains(token)) {
                    throw refused(
                            "puts "
                                    + Text.quote(token)
                                    + " around texts without saying what its id is");
                }
            }
        }
    }

    private void merges(JsonNode model) {
        String prefix = model.path("continuing_subword_prefix").asString("");
        if (prefix.isEmpty()) {
            return;
        }
        for (JsonNode merge : model.path("merges")) {
            String text = merge.asString("");
            String right =
                    merge.isArray()
                            ? merge.path(1).asString("")
                            : text.substring(text.indexOf(' ') + 1);
            if (!right.startsWith(prefix)) {
                throw refused(
                        "merges "
                                + Text.quote(right)
                                + ", which does not begin with "
                                + Text.quote(prefix)
                                + " as what continues a word must");
            }
        }
    }

    /**
     * Whether a text can be tried in too many ways: a group that repeats without bound holds something that does, or
     * alternatives that begin alike, or what a group held is looked for again.
     */
    static boolean canTryForEver(String regex) {
        return repeatsRepeats(regex)
                || AGAIN.matcher(regex).find()
                || REPEATED_CHOICE.matcher(regex).results().anyMatch(TokenizerCheck::beginsAlike);
    }

    private static boolean beginsAlike(MatchResult choice) {
        Set<String> first = new HashSet<>();
        for (String alternative : choice.group(1).split("\\|", -1)) {
            Matcher literal = FIRST_LITERAL.matcher(alternative);
            if (!literal.lookingAt() || !first.add(literal.group())) {
                return true;
            }
        }
        return false;
    }

    /** Whether a group that repeats without bound holds something that does. */
    static boolean repeatsRepeats(String regex) {
        String left = regex.replace(UNAMBIGUOUS, "");
        Deque<Boolean> groups = new ArrayDeque<>();
        boolean inside = false;
        boolean inClass = false;
        for (int at = 0; at < left.length(); at++) {
            char c = left.charAt(at);
            if (c == '\\') {
                at++;
            } else if (inClass) {
                inClass = c != ']';
            } else if (c == '[') {
                inClass = true;
                at += left.startsWith("^", at + 1) ? 1 : 0;
                // A bracket that comes first is a member.
                at += left.startsWith("]", at + 1) ? 1 : 0;
            } else if (c == '(') {
                groups.push(inside);
                inside = false;
            } else if (c == ')') {
                boolean repeats = isUnbounded(left, at + 1);
                if (repeats && inside) {
                    return true;
                }
                inside = repeats || inside || (!groups.isEmpty() && groups.peek());
                groups.poll();
            } else if (isUnbounded(left, at)) {
                inside = true;
            } else if ("+*?}".indexOf(c) >= 0 && left.startsWith("+", at + 1)) {
                at++;
            }
        }
        return false;
    }

    private static boolean isUnbounded(String regex, int at) {
        if (at >= regex.length()) {
            return false;
        }
        char c = regex.charAt(at);
        if (c == '+' || c == '*') {
            // Possessive ones never try again.
            return !regex.startsWith("+", at + 1);
        }
        int end = regex.indexOf('}', at);
        return c == '{' && end > 0 && regex.substring(at, end).endsWith(",");
    }

    private UserError refused(String how) {
        return new UserError(
                source
                        + " is no tokenizer that can be run: it "
                        + how
                        + "; get the file again from the model's source");
    }
}
