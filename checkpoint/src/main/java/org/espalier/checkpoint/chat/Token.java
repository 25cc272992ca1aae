package org.espalier.checkpoint.chat;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text a text to write, a name, the content of a string, the digits of a number, or an operator
 */
record Token(Kind kind, String text) {
    /** Kinds of pieces. */
    enum Kind {
        /** Text between tags. */
        DATA,
        /** The beginning of an expression that is written. */
        OPEN_VALUE,
        /** The beginning of a statement. */
        OPEN_BLOCK,
        /** The end of either. */
        CLOSE,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        /** After the last one. */
        END
    }

    boolean is(Kind other, String content) {
        return kind == other && text.equals(content);
    }

    boolean isOperator(String operator) {
        return is(Kind.OPERATOR, operator);
    }

    boolean isName(String name) {
        return is(Kind.NAME, name);
    }
}
