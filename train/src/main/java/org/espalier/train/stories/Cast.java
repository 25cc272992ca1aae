package org.espalier.train.stories;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Entity.Thing;

/**
 * Who and what plays which role of a plot: A to C are people, x to z things, p to r places, g and h goods, s is what
 * gets built. A role is filled when it is first asked for, and no word fills two roles of a story.
 */
final class Cast {
    private final Lexicon lexicon;
    private final Lexicon.Words words;
    private final RandomGenerator random;
    private final Map<Character, Entity> roles = new HashMap<>();
    private final Set<Object> used = new HashSet<>();

    Cast(Lexicon lexicon, Domain domain, RandomGenerator random) {
        this.lexicon = lexicon;
        this.words = lexicon.of(domain);
        this.random = random;
    }

    /** Frees every role but the hero's for a second plot; the words stay used. */
    void keepOnly(char role) {
        roles.keySet().removeIf(other -> other != role);
    }

    Entity entity(char role) {
        Entity known = roles.get(role);
        if (known != null) {
            return known;
        }
        Entity fresh =
                switch (role) {
                    case 'A', 'B', 'C' -> drawPerson();
                    case 'x', 'y', 'z' -> drawThing(words.things());
                    case 's' -> drawThing(words.builds());
                    case 'p', 'q', 'r' -> draw(words.places());
                    case 'g', 'h' -> draw(words.goods());
                    default -> throw new IllegalStateException("no such role in a plot: " + role);
                };
        roles.put(role, fresh);
        return fresh;
    }

    Person person(char role) {
        return (Person) entity(role);
    }

    Thing thing(char role) {
        return (Thing) entity(role);
    }

    Place place(char role) {
        return (Place) entity(role);
    }

    Goods goods(char role) {
        return (Goods) entity(role);
    }

    private Person drawPerson() {
        Lexicon.Name name = draw(lexicon.names());
        return new Person(
                name.name(),
                name.female(),
                draw(words.roles()),
                draw(lexicon.traits()),
                name.rare());
    }

    private Thing drawThing(List<Lexicon.Noun> nouns) {
        Lexicon.Noun noun = draw(nouns);
        String adjective =
                words.adjectives().get(Zipf.words(words.adjectives().size()).draw(random));
        return new Thing(adjective, noun.text(), noun.rare());
    }

    private <T> T draw(List<T> list) {
        Zipf zipf = Zipf.words(list.size());
        while (true) {
            T drawn = list.get(zipf.draw(random));
            if (used.add(drawn)) {
                return drawn;
            }
        }
    }
}
