package org.espalier.train.stories;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Entity.Thing;
import org.jspecify.annotations.Nullable;

/**
 * Fills templates. In braces stands a role, alone or with the form wanted: {A} is the name, {A.he}, {A.him} and
 * {A.his} the pronouns, {A.a role} "a baker", {x} "the red kite", {x.a} "a red kite", {x.noun} "kite", {x.a noun} "a kite", {p} "at the well", {p.to} "to
 * the well", {n g} the number just told of with its goods, {left A g} how many A has now, {weather} and {weather.a}.
 *
 * <p>A name at the very start becomes a pronoun when {@code pronoun} allows it for that person.
 */
final class Sentences {
    private static final Pattern HOLE = Pattern.compile("\\{([^}]*)}");

    private Sentences() {}

    static Map<String, List<String>> load() {
        return Resources.sections("sentences.txt");
    }

    static String fill(
            String template,
            Function<Character, Entity> roles,
            World world,
            int number,
            @Nullable Person pronoun) {
        StringBuilder filled = new StringBuilder();
        Matcher hole = HOLE.matcher(template);
        int from = 0;
        while (hole.find()) {
            filled.append(template, from, hole.start());
            String phrase = phrase(hole.group(1), roles, world, number);
            if (hole.start() == 0
                    && hole.group(1).length() == 1
                    && pronoun != null
                    && pronoun.equals(roles.apply(hole.group(1).charAt(0)))) {
                phrase = pronoun.female() ? "she" : "he";
            }
            filled.append(startsSentence(filled) ? English.capitalized(phrase) : phrase);
            from = hole.end();
        }
        return filled.append(template.substring(from)).toString();
    }

    /** At the start, after a full stop, or as the first word of somebody's speech. */
    private static boolean startsSentence(StringBuilder before) {
        int length = before.length();
        if (length == 0 || before.charAt(length - 1) == '"') {
            return length <= 1 || before.charAt(length - 2) == ' ';
        }
        return length >= 2
                && before.charAt(length - 1) == ' '
                && ".!?".indexOf(before.charAt(length - 2)) >= 0;
    }

    private static String phrase(
            String hole, Function<Character, Entity> roles, World world, int number) {
        if (hole.startsWith("weather")) {
            return hole.equals("weather") ? world.weather : English.article(world.weather);
        }
        if (hole.startsWith("n ")) {
            return English.counted(number, (Goods) roles.apply(hole.charAt(2)));
        }
        if (hole.startsWith("left ")) {
            Goods goods = (Goods) roles.apply(hole.charAt(7));
            return English.counted(world.count((Person) roles.apply(hole.charAt(5)), goods), goods);
        }
        String form = hole.length() == 1 ? "" : hole.substring(2);
        return switch (roles.apply(hole.charAt(0))) {
            case Person person -> person(person, form);
            case Thing thing -> thing(thing, form);
            case Place place -> place(place, form);
            case Goods goods -> form.equals("one") ? goods.one() : goods.many();
        };
    }

    private static String person(Person person, String form) {
        return switch (form) {
            case "", "name" -> person.name();
            case "he" -> person.female() ? "she" : "he";
            case "him" -> person.female() ? "her" : "him";
            case "his" -> person.female() ? "her" : "his";
            case "role" -> person.role();
            case "a role" -> English.article(person.role());
            case "trait" -> person.trait();
            default -> throw new IllegalStateException("no such form of a person: " + form);
        };
    }

    private static String thing(Thing thing, String form) {
        return switch (form) {
            case "" -> "the " + thing.bare();
            case "a" -> English.article(thing.bare());
            case "noun" -> thing.noun();
            case "a noun" -> English.article(thing.noun());
            case "bare" -> thing.bare();
            default -> throw new IllegalStateException("no such form of a thing: " + form);
        };
    }

    private static String place(Place place, String form) {
        return switch (form) {
            case "" -> place.at();
            case "to" -> "to " + place.name();
            case "the" -> place.name();
            default -> throw new IllegalStateException("no such form of a place: " + form);
        };
    }
}
