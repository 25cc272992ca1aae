package org.espalier.checkpoint;

/** What is done to a text before the tokenizers library sees it. */
@FunctionalInterface
interface TextPreparation {
    /** Nothing, for a tokenizer whose own file says all. */
    TextPreparation NONE = text -> text;

    /** The text as the library is to see it. */
    String prepare(String text);
}
