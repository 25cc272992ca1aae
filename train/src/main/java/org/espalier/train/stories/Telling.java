package org.espalier.train.stories;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Person;
import org.espalier.train.stories.Entity.Place;
import org.jspecify.annotations.Nullable;

/** Plays plots: turns their steps into events, lets the events change the world, and tells them in sentences. */
final class Telling {
    /** A pronoun stands for the name so often, where it is clear who is meant. */
    private static final double PRONOUN_SHARE = 0.6;

    /** A new scene begins a new line so often. */
    private static final double PARAGRAPH_SHARE = 0.5;

    private static final Set<String> SCENE_CHANGES = Set.of("go", "together", "weather", "next");

    private final Lexicon lexicon;
    private final Map<String, List<String>> sections;
    private final Domain domain;
    private final RandomGenerator random;
    private final Cast cast;
    private final World world = new World();
    private final List<Event> events = new ArrayList<>();
    private final Set<String> told = new HashSet<>();
    private final StringBuilder text = new StringBuilder();

    /** How many the last event was about. */
    private int number;

    /** The only person that the last sentence named. */
    private @Nullable Person focus;

    Telling(
            Lexicon lexicon,
            Map<String, List<String>> sections,
            Domain domain,
            RandomGenerator random) {
        this.lexicon = lexicon;
        this.sections = sections;
        this.domain = domain;
        this.random = random;
        this.cast = new Cast(lexicon, domain, random);
    }

    World world() {
        return world;
    }

    List<Event> events() {
        return events;
    }

    String text() {
        return text.toString();
    }

    /** A second plot follows: the hero stays, the others are new. */
    void nextPlot() {
        cast.keepOnly('A');
        play(step("next", "A"));
    }

    void weather(String kind) {
        happen(new Event.WeatherTurns(kind));
    }

    void play(Plot plot) {
        plot.steps().stream()
                .filter(step -> !step.optional() || (possible(step) && random.nextBoolean()))
                .forEach(this::play);
    }

    /** Nobody shares what another optional step might have brought and did not. */
    private boolean possible(Plot.Step step) {
        return !step.word().equals("share")
                || world.count(person(step, 0), cast.goods(role(step, 2))) > 0;
    }

    static Plot.Step step(String word, String... arguments) {
        return new Plot.Step(word, List.of(arguments), false, List.of());
    }

    void play(Plot.Step step) {
        perform(step);
        if (step.word().equals("scene")) {
            say(pick(lexicon.of(domain).scenes()), cast::entity, false);
            return;
        }
        String section = step.word().equals("weather") ? "weather." + world.weather : step.word();
        boolean usual = step.own().isEmpty();
        List<String> variants = usual ? sections.getOrDefault(section, List.of()) : step.own();
        if (variants.isEmpty()) {
            throw new IllegalStateException("no sentences for " + section);
        }
        Function<Character, Entity> roles = usual ? formalRoles(step.arguments()) : cast::entity;
        say(pick(variants), roles, SCENE_CHANGES.contains(step.word()));
    }

    private void happen(Event event) {
        world.apply(event);
        events.add(event);
    }

    private void perform(Plot.Step step) {
        List<String> roles = step.arguments();
        switch (step.word()) {
            case "weather" -> weather(roles.isEmpty() ? otherWeather() : roles.getFirst());
            case "arrive", "go" ->
                    happen(new Event.Arrives(person(step, 0), cast.place(role(step, 1))));
            case "together" -> {
                Place place = cast.place(role(step, 2));
                happen(new Event.Arrives(person(step, 0), place));
                happen(new Event.Arrives(person(step, 1), place));
            }
            case "meet" -> happen(new Event.Arrives(person(step, 1), placeOf(person(step, 0))));
            case "own", "discover" ->
                    happen(new Event.Owns(person(step, 0), cast.thing(role(step, 1))));
            case "lose" -> happen(new Event.Loses(person(step, 0), cast.thing(role(step, 1))));
            case "find" -> happen(new Event.Finds(person(step, 0), cast.thing(role(step, 1))));
            case "give" ->
                    happen(
                            new Event.Gives(
                                    person(step, 0), person(step, 1), cast.thing(role(step, 2))));
            case "swap" -> {
                happen(
                        new Event.Gives(
                                person(step, 0), person(step, 2), cast.thing(role(step, 1))));
                happen(
                        new Event.Gives(
                                person(step, 2), person(step, 0), cast.thing(role(step, 3))));
            }
            case "gather" -> gather(step, 3 + random.nextInt(7));
            case "more" -> gather(step, 2 + random.nextInt(5));
            case "share" -> {
                Goods goods = cast.goods(role(step, 2));
                number = someOf(person(step, 0), goods);
                happen(new Event.Shares(person(step, 0), person(step, 1), goods, number));
            }
            case "spill" -> {
                Goods goods = cast.goods(role(step, 1));
                number = someOf(person(step, 0), goods);
                happen(new Event.Spills(person(step, 0), goods, number));
            }
            case "build", "helped" ->
                    happen(
                            new Event.Builds(
                                    person(step, 0),
                                    cast.thing(role(step, step.arguments().size() - 1))));
            case "quarrel" -> happen(new Event.Quarrels(person(step, 0), person(step, 1)));
            case "reconcile" -> happen(new Event.Reconciles(person(step, 0), person(step, 1)));
            default -> {
                // A step that only tells: a mood, a scene, the plot's own words.
            }
        }
    }

    private void gather(Plot.Step step, int amount) {
        number = amount;
        happen(new Event.Gathers(person(step, 0), cast.goods(role(step, 1)), amount));
    }

    private static char role(Plot.Step step, int position) {
        return step.arguments().get(position).charAt(0);
    }

    private Person person(Plot.Step step, int position) {
        return cast.person(role(step, position));
    }

    private Place placeOf(Person person) {
        Place place = world.places.get(person);
        if (place == null) {
            throw new IllegalStateException(person.name() + " has not arrived anywhere");
        }
        return place;
    }

    /** At least one and, where there are two, not all. */
    private int someOf(Person person, Goods goods) {
        int all = world.count(person, goods);
        return all < 2 ? all : 1 + random.nextInt(all - 1);
    }

    private String otherWeather() {
        List<String> kinds = lexicon.weather();
        Zipf zipf = Zipf.words(kinds.size());
        String kind = world.weather;
        while (kind.equals(world.weather)) {
            kind = kinds.get(zipf.draw(random));
        }
        return kind;
    }

    /** The usual sentences know people as A, B, C in the order of the step's arguments, things as x, y, and so on. */
    private Function<Character, Entity> formalRoles(List<String> arguments) {
        Map<Character, Entity> formal = new HashMap<>();
        for (String argument : arguments) {
            if (argument.length() > 1) {
                continue;
            }
            char role = argument.charAt(0);
            char name =
                    switch (role) {
                        case 'A', 'B', 'C' -> 'A';
                        case 'x', 'y', 'z' -> 'x';
                        case 'p', 'q', 'r' -> 'p';
                        case 'g', 'h' -> 'g';
                        default -> role;
                    };
            while (formal.containsKey(name)) {
                name++;
            }
            formal.put(name, cast.entity(role));
        }
        return role -> {
            Entity entity = formal.get(role);
            if (entity == null) {
                throw new IllegalStateException(
                        "a usual sentence names " + role + ", the step only " + arguments);
            }
            return entity;
        };
    }

    private void say(String template, Function<Character, Entity> roles, boolean sceneChanges) {
        told.add(template);
        boolean clear = focus != null && random.nextDouble() < PRONOUN_SHARE;
        String sentence = Sentences.fill(template, roles, world, number, clear ? focus : null);
        boolean paragraph = sceneChanges && random.nextDouble() < PARAGRAPH_SHARE;
        if (!text.isEmpty()) {
            text.append(paragraph ? '\n' : ' ');
        }
        text.append(sentence);
        focus = paragraph ? null : onlyPerson(template, roles);
    }

    /** The person of whom alone the sentence spoke, so that the next one may say he or she; null when in doubt. */
    private static @Nullable Person onlyPerson(String template, Function<Character, Entity> roles) {
        Person only = null;
        for (char role : new char[] {'A', 'B', 'C'}) {
            if (template.contains("{" + role + "}")
                    || template.contains("{" + role + ".")
                    || template.contains(" " + role + " ")) {
                if (only != null || !(roles.apply(role) instanceof Person person)) {
                    return null;
                }
                only = person;
            }
        }
        return only;
    }

    /** One of the variants, rather one that this story has not used. */
    private String pick(List<String> variants) {
        String variant = variants.get(random.nextInt(variants.size()));
        return told.contains(variant) ? variants.get(random.nextInt(variants.size())) : variant;
    }

    String firstWeather(String except) {
        List<String> kinds = lexicon.weather();
        Zipf zipf = Zipf.words(kinds.size());
        while (true) {
            String kind = kinds.get(zipf.draw(random));
            if (!kind.equals(except)) {
                return kind;
            }
        }
    }
}
