package org.espalier.checkpoint.chat;

/** A variable that nobody set: it is false and writes nothing, but has no parts. */
enum Undefined {
    /** The only one. */
    VALUE;

    @Override
    public String toString() {
        return "";
    }
}
