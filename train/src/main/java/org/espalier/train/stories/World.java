package org.espalier.train.stories;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Entity.Thing;

/**
 * What is true at one moment of a story. Events are checked before they change anything: a plot that lets somebody
 * give away what they do not have is a bug in the plot, and an {@link IllegalStateException}.
 */
final class World {
    final Map<Person, Place> places = new LinkedHashMap<>();

    /** A thing has a holder (a person) or lies somewhere (a place), never both. */
    final Map<Thing, Entity> whereabouts = new LinkedHashMap<>();

    /** Who gave the thing to the person who holds it now; absent when it came in another way. */
    final Map<Thing, Person> givers = new LinkedHashMap<>();

    final Map<Possession, Integer> counts = new LinkedHashMap<>();
    final Map<Thing, Person> builders = new LinkedHashMap<>();

    /** The pairs that ever quarrelled, with whether they are friends again. */
    final Map<Set<Person>, Boolean> quarrels = new LinkedHashMap<>();

    String weather = "";

    /** One person's stock of one kind of goods. */
    record Possession(Person person, Goods goods) {}

    int count(Person person, Goods goods) {
        return counts.getOrDefault(new Possession(person, goods), 0);
    }

    void apply(Event event) {
        switch (event) {
            case Event.WeatherTurns turns -> weather = turns.weather();
            case Event.Arrives arrives -> places.put(arrives.person(), arrives.place());
            case Event.Owns owns -> {
                require(!whereabouts.containsKey(owns.thing()), event);
                whereabouts.put(owns.thing(), owns.person());
            }
            case Event.Loses loses -> {
                require(loses.person().equals(whereabouts.get(loses.thing())), event);
                move(loses.thing(), place(loses.person(), event));
            }
            case Event.Finds finds -> {
                require(place(finds.person(), event).equals(whereabouts.get(finds.thing())), event);
                move(finds.thing(), finds.person());
            }
            case Event.Gives gives -> {
                require(gives.giver().equals(whereabouts.get(gives.thing())), event);
                requireTogether(gives.giver(), gives.receiver(), event);
                move(gives.thing(), gives.receiver());
                givers.put(gives.thing(), gives.giver());
            }
            case Event.Gathers gathers ->
                    change(gathers.person(), gathers.goods(), gathers.number(), event);
            case Event.Shares shares -> {
                requireTogether(shares.giver(), shares.receiver(), event);
                change(shares.giver(), shares.goods(), -shares.number(), event);
                change(shares.receiver(), shares.goods(), shares.number(), event);
            }
            case Event.Spills spills ->
                    change(spills.person(), spills.goods(), -spills.number(), event);
            case Event.Builds builds -> {
                require(!builders.containsKey(builds.structure()), event);
                builders.put(builds.structure(), builds.person());
            }
            case Event.Quarrels quarrel ->
                    quarrels.put(pair(quarrel.one(), quarrel.other(), event), false);
            case Event.Reconciles peace -> {
                require(
                        Boolean.FALSE.equals(quarrels.get(Set.of(peace.one(), peace.other()))),
                        event);
                quarrels.put(pair(peace.one(), peace.other(), event), true);
            }
        }
    }

    private void move(Thing thing, Entity to) {
        whereabouts.put(thing, to);
        givers.remove(thing);
    }

    private void change(Person person, Goods goods, int by, Event event) {
        int after = count(person, goods) + by;
        require(by != 0 && after >= 0, event);
        counts.put(new Possession(person, goods), after);
    }

    private Place place(Person person, Event event) {
        Place place = places.get(person);
        if (place == null) {
            throw new IllegalStateException(
                    person.name() + " is nowhere when this happens: " + event);
        }
        return place;
    }

    private void requireTogether(Person one, Person other, Event event) {
        require(place(one, event).equals(place(other, event)), event);
    }

    private Set<Person> pair(Person one, Person other, Event event) {
        requireTogether(one, other, event);
        Set<Person> pair = new HashSet<>();
        pair.add(one);
        pair.add(other);
        return pair;
    }

    private static void require(boolean condition, Event event) {
        if (!condition) {
            throw new IllegalStateException("cannot happen now: " + event);
        }
    }
}
