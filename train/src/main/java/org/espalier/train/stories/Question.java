package org.espalier.train.stories;

/**
 * A question about how things stand at the end of a story.
 *
 * @param text such as "Who has the red kite?"
 * @param answer such as "Mira." or "Seven." or "At the well."
 * @param rare whether what it asks about (a thing, goods, a person, a kind of weather) is of a rare kind
 */
public record Question(Kind kind, String text, String answer, boolean rare) {
    /** What it asks for. */
    public enum Kind {
        HOLDER,
        GIVER,
        COUNT,
        PERSON_PLACE,
        THING_PLACE,
        WEATHER,
        BUILDER,
        FRIENDSHIP
    }

    /** The fixed form in which training texts ask: one line. */
    public String line() {
        return prompt() + " " + answer;
    }

    /** The line up to the answer, as a prompt for a trained model. */
    public String prompt() {
        return "Question: " + text + " Answer:";
    }
}
