package org.espalier.train.stories;

import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Entity.Thing;

/** Something that happens in a story and changes its world. A story's events in order determine all its facts. */
public sealed interface Event {
    /** The weather becomes as the adjective says, such as rainy. */
    record WeatherTurns(String weather) implements Event {}

    record Arrives(Person person, Place place) implements Event {}

    /** The person has the thing, which nobody had before. */
    record Owns(Person person, Thing thing) implements Event {}

    /** The thing is left at the place where the person is. */
    record Loses(Person person, Thing thing) implements Event {}

    /** The person takes up a thing that lies where the person is. */
    record Finds(Person person, Thing thing) implements Event {}

    /** A thing changes hands between two people at one place. */
    record Gives(Person giver, Person receiver, Thing thing) implements Event {}

    /** New goods come into a person's hands. */
    record Gathers(Person person, Goods goods, int number) implements Event {}

    /** Goods change hands between two people at one place. */
    record Shares(Person giver, Person receiver, Goods goods, int number) implements Event {}

    /** Goods leave the story. */
    record Spills(Person person, Goods goods, int number) implements Event {}

    /** The person makes something, where the person is. */
    record Builds(Person person, Thing structure) implements Event {}

    record Quarrels(Person one, Person other) implements Event {}

    record Reconciles(Person one, Person other) implements Event {}
}
