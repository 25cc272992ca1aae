package org.espalier.train.stories;

import java.util.ArrayList;
import java.util.List;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.espalier.train.stories.Question.Kind;

/** Asks everything that a world can answer. */
final class Examiner {
    private final World world;
    private final boolean rareWeather;
    private final List<Question> questions = new ArrayList<>();

    private Examiner(World world, boolean rareWeather) {
        this.world = world;
        this.rareWeather = rareWeather;
    }

    /** All questions in a fixed order. */
    static List<Question> questions(World world, Lexicon lexicon) {
        List<String> kinds = lexicon.weather();
        Examiner examiner =
                new Examiner(world, Zipf.rare(kinds.indexOf(world.weather), kinds.size()));
        examiner.askAboutThings();
        examiner.askAboutPeople();
        examiner.askAboutTheRest();
        return examiner.questions;
    }

    private void ask(Kind kind, String text, String answer, boolean rare) {
        questions.add(new Question(kind, text, English.capitalized(answer) + ".", rare));
    }

    private void askAboutThings() {
        world.whereabouts.forEach((thing, where) -> {
            switch (where) {
                case Person holder ->
                        ask(
                                Kind.HOLDER,
                                "Who has the " + thing.bare() + "?",
                                holder.name(),
                                thing.rare());
                case Place place ->
                        ask(
                                Kind.THING_PLACE,
                                "Where is the " + thing.bare() + "?",
                                place.at(),
                                thing.rare());
                default ->
                        throw new IllegalStateException(
                                "a thing is held by a person or lies at a place");
            }
            Person giver = world.givers.get(thing);
            if (giver != null && where instanceof Person holder) {
                String text = "Who gave the " + thing.bare() + " to " + holder.name() + "?";
                ask(Kind.GIVER, text, giver.name(), thing.rare());
            }
        });
    }

    private void askAboutPeople() {
        world.counts.forEach((possession, count) -> {
            String person = possession.person().name();
            String text = "How many " + possession.goods().many() + " does " + person + " have?";
            String answer = count == 0 ? "none" : English.number(count);
            ask(Kind.COUNT, text, answer, possession.goods().rare());
        });
        world.places.forEach((person, place) ->
                ask(
                        Kind.PERSON_PLACE,
                        "Where is " + person.name() + "?",
                        place.at(),
                        person.rare() || place.rare()));
    }

    private void askAboutTheRest() {
        ask(Kind.WEATHER, "What is the weather like?", world.weather, rareWeather);
        world.builders.forEach((structure, person) ->
                ask(
                        Kind.BUILDER,
                        "Who built the " + structure.bare() + "?",
                        person.name(),
                        structure.rare()));
        world.quarrels.forEach((pair, friends) -> {
            List<String> names = pair.stream().map(Person::name).sorted().toList();
            boolean rare = pair.stream().anyMatch(Person::rare);
            String text = "Are " + names.get(0) + " and " + names.get(1) + " friends again?";
            ask(Kind.FRIENDSHIP, text, friends ? "yes" : "no", rare);
        });
    }
}
