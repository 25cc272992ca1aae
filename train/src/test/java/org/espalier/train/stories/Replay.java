package org.espalier.train.stories;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Entity.Thing;

/**
 * Answers a story's questions a second time, from its events alone and by the names in the question; shares no code
 * with the world. Refuses histories that cannot be.
 */
final class Replay {
    private final Map<String, String> whereIsPerson = new HashMap<>();
    private final Map<String, String> whereIsThing = new HashMap<>();
    private final Map<String, String> lastGiver = new HashMap<>();
    private final Map<String, Integer> stock = new HashMap<>();
    private final Map<String, String> builder = new HashMap<>();
    private final Map<String, String> friends = new HashMap<>();
    private String weather = "";

    Replay(List<Event> events) {
        events.forEach(this::step);
    }

    private void step(Event event) {
        switch (event) {
            case Event.WeatherTurns(String kind) -> {
                check(!kind.equals(weather), event);
                weather = kind;
            }
            case Event.Arrives(Person person, Place place) ->
                    whereIsPerson.put(person.name(), place.at());
            case Event.Owns(Person person, Thing thing) ->
                    check(whereIsThing.put(thing.bare(), person.name()) == null, event);
            case Event.Loses(Person person, Thing thing) -> {
                check(person.name().equals(whereIsThing.get(thing.bare())), event);
                whereIsThing.put(
                        thing.bare(), whereIsPerson.getOrDefault(person.name(), "nowhere"));
                lastGiver.remove(thing.bare());
            }
            case Event.Finds(Person person, Thing thing) -> {
                check(
                        whereIsThing.get(thing.bare()) != null
                                && whereIsThing
                                        .get(thing.bare())
                                        .equals(whereIsPerson.get(person.name())),
                        event);
                whereIsThing.put(thing.bare(), person.name());
            }
            case Event.Gives(Person giver, Person receiver, Thing thing) -> {
                check(giver.name().equals(whereIsThing.put(thing.bare(), receiver.name())), event);
                lastGiver.put(thing.bare(), giver.name());
            }
            case Event.Gathers(Person person, Goods goods, int number) ->
                    add(person, goods, number, event);
            case Event.Shares(Person giver, Person receiver, Goods goods, int number) -> {
                add(giver, goods, -number, event);
                add(receiver, goods, number, event);
            }
            case Event.Spills(Person person, Goods goods, int number) ->
                    add(person, goods, -number, event);
            case Event.Builds(Person person, Thing structure) ->
                    builder.put(structure.bare(), person.name());
            case Event.Quarrels(Person one, Person other) -> friends.put(pair(one, other), "no");
            case Event.Reconciles(Person one, Person other) -> friends.put(pair(one, other), "yes");
        }
    }

    /** The answer in lower case without the full stop. */
    String answer(Question question) {
        String text = question.text().replace("?", "");
        return switch (question.kind()) {
            case HOLDER -> known(whereIsThing, text.replace("Who has the ", ""));
            case THING_PLACE -> known(whereIsThing, text.replace("Where is the ", ""));
            case PERSON_PLACE -> known(whereIsPerson, text.replace("Where is ", ""));
            case GIVER ->
                    known(
                            lastGiver,
                            text.replace("Who gave the ", "").replaceFirst(" to [A-Z][a-z]+$", ""));
            case BUILDER -> known(builder, text.replace("Who built the ", ""));
            case WEATHER -> weather;
            case COUNT ->
                    number(
                            stock.getOrDefault(
                                    text.replaceFirst("How many (.*) does (.*) have", "$2 $1"),
                                    -1));
            case FRIENDSHIP -> known(friends, text.replaceFirst("Are (.*) friends again", "$1"));
        };
    }

    private static String known(Map<String, String> facts, String key) {
        return facts.getOrDefault(key, "nothing known of " + key);
    }

    private static String number(int number) {
        return number == 0 ? "none" : English.number(number);
    }

    private void add(Person person, Goods goods, int by, Event event) {
        int after = stock.merge(person.name() + " " + goods.many(), by, Integer::sum);
        check(after >= 0 && by != 0, event);
    }

    private static String pair(Person one, Person other) {
        boolean inOrder = one.name().compareTo(other.name()) < 0;
        return (inOrder ? one : other).name() + " and " + (inOrder ? other : one).name();
    }

    private static void check(boolean possible, Event event) {
        if (!possible) {
            throw new AssertionError("impossible: " + event);
        }
    }
}
