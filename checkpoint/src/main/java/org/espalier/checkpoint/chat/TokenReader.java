package org.espalier.checkpoint.chat;

import java.util.List;

/** Reads tokens one after the other. */
final class TokenReader {
    private static final int DEEPEST = 150;

    private final List<Token> tokens;
    private int at;
    private int depth;

    TokenReader(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean takeOperator(String operator) {
        return take(peek().isOperator(operator));
    }

    boolean takeName(String name) {
        return take(peek().isName(name));
    }

    private boolean take(boolean wanted) {
        if (wanted) {
            next();
        }
        return wanted;
    }

    void operator(String operator) {
        if (!takeOperator(operator)) {
            throw wrong("'" + operator + "'");
        }
    }

    void name(String name) {
        if (!takeName(name)) {
            throw wrong("'" + name + "'");
        }
    }

    String name() {
        if (peek().kind() != Token.Kind.NAME) {
            throw wrong("a name");
        }
        return next().text();
    }

    void close() {
        if (peek().kind() != Token.Kind.CLOSE) {
            throw wrong("the end of the tag");
        }
        next();
    }

    TemplateRefusal wrong(String expected) {
        Token token = peek();
        String found = token.text().isEmpty() ? "the end" : "'" + token.text() + "'";
        return new TemplateRefusal("it has " + found + " where " + expected + " is needed");
    }

    /** Goes into something within something. */
    void enter() {
        if (++depth > DEEPEST) {
            throw new TemplateRefusal("it is nested too deeply");
        }
    }

    void leave() {
        depth--;
    }
}
