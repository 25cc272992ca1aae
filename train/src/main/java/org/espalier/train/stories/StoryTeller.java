package org.espalier.train.stories;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Tells stories. A story depends on nothing but the teller's seed and its own index (and the domain, where one is
 * asked for), so any range of a corpus can be told again on its own. Thread-safe.
 */
public final class StoryTeller {
    /** The share of stories whose training text ends with one to three questions. */
    public static final double QUESTION_SHARE = 0.4;

    /** The share of stories that tell a second plot of the same hero. */
    public static final double SECOND_PLOT_SHARE = 0.35;

    public static final int SHORTEST_WORDS = 60;
    public static final int LONGEST_WORDS = 220;

    private static final int MOST_ASKED = 3;
    private static final int MOST_ATTEMPTS = 200;
    private static final List<Domain> DOMAINS = List.of(Domain.values());
    private static final Zipf DOMAIN_FREQUENCIES = new Zipf(DOMAINS.size(), 4, 1);

    private final long seed;
    private final Lexicon lexicon = Lexicon.load();
    private final Map<String, List<String>> sections = Sentences.load();
    private final List<Plot> plots = Plot.load();

    public StoryTeller(long seed) {
        this.seed = seed;
    }

    /** The story of an index, in a domain drawn with falling frequency. */
    public Story story(long index) {
        SplittableRandom random = random(index, 0);
        return story(index, DOMAINS.get(DOMAIN_FREQUENCIES.draw(random)), random);
    }

    /** A story of an index in a given domain; not the same as {@link #story(long)} where that drew this domain. */
    public Story story(long index, Domain domain) {
        return story(index, domain, random(index, 1 + DOMAINS.indexOf(domain)));
    }

    /** The stories of {@code count} indices from the first, lazily. */
    public Stream<Story> stories(long first, long count) {
        return LongStream.range(first, first + count).mapToObj(this::story);
    }

    private SplittableRandom random(long index, int stream) {
        return new SplittableRandom(mix(mix(mix(seed) + index) + stream));
    }

    /** The finalizer of MurmurHash3, so that neighbouring seeds and indices give unrelated streams. */
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 33)) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ (mixed >>> 33);
    }

    private Story story(long index, Domain domain, SplittableRandom random) {
        for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
            Telling telling = new Telling(lexicon, sections, domain, random);
            List<String> told = tell(telling, random);
            int words = telling.text().split("\\s+").length;
            if (words >= SHORTEST_WORDS && words <= LONGEST_WORDS) {
                return examined(index, domain, told, telling, random);
            }
        }
        throw new IllegalStateException(
                "no story of fitting length in " + MOST_ATTEMPTS + " attempts");
    }

    private List<String> tell(Telling telling, SplittableRandom random) {
        List<String> told = new ArrayList<>();
        Plot plot = plots.get(random.nextInt(plots.size()));
        told.add(plot.name());
        telling.weather(telling.firstWeather(plot.firstForcedWeather()));
        boolean weatherFirst = random.nextBoolean();
        if (weatherFirst) {
            telling.play(Telling.step("first.weather"));
        }
        telling.play(Telling.step("open", "A"));
        if (!weatherFirst) {
            telling.play(Telling.step("first.weather"));
        }
        telling.play(plot);
        if (random.nextDouble() < SECOND_PLOT_SHARE) {
            Plot second = plots.get(random.nextInt(plots.size()));
            if (!second.equals(plot)
                    && !second.firstForcedWeather().equals(telling.world().weather)) {
                told.add(second.name());
                telling.nextPlot();
                telling.play(second);
            }
        }
        telling.play(Telling.step("close"));
        return told;
    }

    private Story examined(
            long index,
            Domain domain,
            List<String> told,
            Telling telling,
            SplittableRandom random) {
        World world = telling.world();
        List<Question> questions = Examiner.questions(world, lexicon);
        Collections.shuffle(questions, Random.from(random));
        int asked = random.nextDouble() < QUESTION_SHARE ? 1 + random.nextInt(MOST_ASKED) : 0;
        boolean rare =
                Stream.of(world.whereabouts.keySet(), world.builders.keySet())
                                .anyMatch(things -> things.stream().anyMatch(Entity::rare))
                        || world.counts.keySet().stream()
                                .anyMatch(possession -> possession.goods().rare());
        return new Story(
                index,
                domain,
                told,
                rare,
                telling.text(),
                telling.events(),
                questions,
                Math.min(asked, questions.size()));
    }
}
