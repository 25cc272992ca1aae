package org.espalier.checkpoint.chat;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens, with the white space as transformers sets it: a newline after a statement or comment goes
 * ({@code trim_blocks}), so do blanks before one on its line ({@code lstrip_blocks}), and a minus takes all white space.
 */
final class TemplateLexer {
    private static final List<String> OPERATORS =
            List.of(
                    "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=",
                    "(", ")", "[", "]", "{", "}", ",", ".", ":", "|", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private boolean stripNext;
    private boolean trimNext;

    private TemplateLexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String unix = template.replace("\r\n", "\n").replace('\r', '\n');
        String source = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
        TemplateLexer lexer = new TemplateLexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int open = nextTag();
            data(open);
            at = open;
            if (at < source.length()) {
                tag();
            }
        }
        add(Token.Kind.END, "");
    }

    private int nextTag() {
        for (int i = at; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    /** The text before a tag, without the white space that the tags around it take. */
    private void data(int end) {
        String text = source.substring(at, end);
        if (stripNext) {
            text = text.stripLeading();
        } else if (trimNext && text.startsWith("\n")) {
            text = text.substring(1);
        }
        if (end < source.length()) {
            char sign = end + 2 < source.length() ? source.charAt(end + 2) : ' ';
            if (sign == '-') {
                text = text.stripTrailing();
            } else if (sign != '+' && source.charAt(end + 1) != '{') {
                text = withoutIndent(text, at == 0 || source.charAt(at - 1) == '\n' || trimmed());
            }
        }
        stripNext = false;
        trimNext = false;
        if (!text.isEmpty()) {
            add(Token.Kind.DATA, text);
        }
    }

    /** Whether the newline after the tag before was taken, so that what follows stands at the start of a line. */
    private boolean trimmed() {
        return trimNext && at < source.length() && source.charAt(at) == '\n';
    }

    private static String withoutIndent(String text, boolean startsLine) {
        int end = text.length();
        while (end > 0 && (text.charAt(end - 1) == ' ' || text.charAt(end - 1) == '\t')) {
            end--;
        }
        boolean line = end == 0 ? startsLine : text.charAt(end - 1) == '\n';
        return line ? text.substring(0, end) : text;
    }

    private void tag() {
        char kind = source.charAt(at + 1);
        at += 2;
        if (at < source.length() && (source.charAt(at) == '-' || source.charAt(at) == '+')) {
            at++;
        }
        if (kind == '#') {
            int end = source.indexOf("#}", at);
            if (end < 0) {
                throw new TemplateRefusal("a comment has no end");
            }
            stripNext = end > at && source.charAt(end - 1) == '-';
            trimNext = true;
            at = end + 2;
            return;
        }
        add(kind == '{' ? Token.Kind.OPEN_VALUE : Token.Kind.OPEN_BLOCK, "");
        String close = kind == '{' ? "}}" : "%}";
        int braces = 0;
        while (true) {
            while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
                at++;
            }
            if (at >= source.length()) {
                throw new TemplateRefusal("a tag has no end");
            }
            char c = source.charAt(at);
            boolean signed = (c == '-' || c == '+') && source.startsWith(close, at + 1);
            if (braces == 0 && (signed || source.startsWith(close, at))) {
                stripNext = c == '-';
                trimNext = kind == '%' && c != '+';
                at += signed ? 3 : 2;
                add(Token.Kind.CLOSE, "");
                return;
            }
            braces += c == '{' ? 1 : c == '}' ? -1 : 0;
            word(c);
        }
    }

    private void word(char c) {
        if (c == '\'' || c == '"') {
            string(c);
        } else if (Character.isDigit(c)) {
            number();
        } else if (Character.isJavaIdentifierStart(c)) {
            int start = at;
            while (at < source.length() && Character.isJavaIdentifierPart(source.charAt(at))) {
                at++;
            }
            add(Token.Kind.NAME, source.substring(start, at));
        } else {
            String operator =
                    OPERATORS.stream()
                            .filter(candidate -> source.startsWith(candidate, at))
                            .findFirst()
                            .orElseThrow(() -> new TemplateRefusal("it has a stray " + c));
            at += operator.length();
            add(Token.Kind.OPERATOR, operator);
        }
    }

    private void number() {
        int start = at;
        while (at < source.length() && Character.isDigit(source.charAt(at))) {
            at++;
        }
        boolean fraction =
                at + 1 < source.length()
                        && source.charAt(at) == '.'
                        && Character.isDigit(source.charAt(at + 1));
        if (fraction) {
            at++;
            while (at < source.length() && Character.isDigit(source.charAt(at))) {
                at++;
            }
        }
        add(fraction ? Token.Kind.FLOAT : Token.Kind.INTEGER, source.substring(start, at));
    }

    private void string(char quote) {
        StringBuilder text = new StringBuilder();
        at++;
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c != '\\' || at >= source.length()) {
                text.append(c);
                continue;
            }
            char escaped = source.charAt(at++);
            switch (escaped) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case '\\', '\'', '"' -> text.append(escaped);
                case 'u' -> {
                    if (at + 4 > source.length()) {
                        throw new TemplateRefusal("a string has no end");
                    }
                    try {
                        text.append((char) Integer.parseInt(source.substring(at, at + 4), 16));
                    } catch (NumberFormatException e) {
                        throw new TemplateRefusal("a string has a wrong escape");
                    }
                    at += 4;
                }
                default -> text.append('\\').append(escaped);
            }
        }
        if (at >= source.length()) {
            throw new TemplateRefusal("a string has no end");
        }
        at++;
        add(Token.Kind.STRING, text.toString());
    }

    private void add(Token.Kind kind, String text) {
        tokens.add(new Token(kind, text));
    }
}
