package org.espalier.train.stories;

/** Somebody or something that a story can be about. */
public sealed interface Entity {
    /** Whether its kind is in the rare last third of its list. */
    boolean rare();

    /** A person with a name of their own within a story. */
    record Person(String name, boolean female, String role, String trait, boolean rare)
            implements Entity {}

    /** One thing, such as the red kite; no two things of a story share their noun. Also what people build. */
    record Thing(String adjective, String noun, boolean rare) implements Entity {
        /** Adjective and noun without an article. */
        public String bare() {
            return adjective + " " + noun;
        }
    }

    /** A kind of thing that is counted, such as eggs. */
    record Goods(String one, String many, boolean rare) implements Entity {}

    /** A place, such as the old well, with the preposition for being there. */
    record Place(String preposition, String name, boolean rare) implements Entity {
        /** Being there: "at the well". */
        public String at() {
            return preposition + " " + name;
        }
    }
}
