package org.espalier.checkpoint.chat;

/** A part of a template that writes text or changes variables. */
@FunctionalInterface
interface Statement {
    /** What happens after a statement. */
    enum Next {
        GO_ON,
        CONTINUE,
        BREAK
    }

    Next run(Rendering rendering, Scope scope);
}
