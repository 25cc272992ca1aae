package org.espalier.train.stories;

import java.util.ArrayList;
import java.util.List;

/** What happens in a story, with roles in place of people and things. The first of the files explains their form. */
record Plot(String name, List<Step> steps) {
    /**
     * One step.
     *
     * @param word the event, or a section of sentences.txt, or "text" for the plot's own words
     * @param arguments what follows the word: roles, or a kind of weather
     * @param optional whether it happens only half of the time
     * @param own the plot's own sentences in its roles; empty when the usual ones are told
     */
    record Step(String word, List<String> arguments, boolean optional, List<String> own) {}

    static List<Plot> load() {
        List<Plot> plots = new ArrayList<>();
        for (String file : List.of("plots-things.txt", "plots-people.txt")) {
            Resources.sections(file).forEach((name, lines) -> plots.add(parse(name, lines)));
        }
        return List.copyOf(plots);
    }

    /** The weather that the plot cannot begin with, because it is going to begin in the plot; "" when there is none. */
    String firstForcedWeather() {
        for (Step step : steps) {
            if (step.word().equals("weather") && !step.arguments().isEmpty()) {
                return step.arguments().getFirst();
            }
        }
        return "";
    }

    private static Plot parse(String name, List<String> lines) {
        List<Step> steps = new ArrayList<>();
        List<String> own = List.of();
        char before = ' ';
        for (String line : lines) {
            char mark = line.charAt(0);
            boolean sentence = mark == '|' || mark == '~';
            if (mark == '|' && before != '|') {
                own = new ArrayList<>();
                steps.add(new Step("text", List.of(), false, own));
            } else if (!sentence) {
                String[] words = line.replaceFirst("^\\? ", "").split(" ");
                own = new ArrayList<>();
                steps.add(
                        new Step(
                                words[0],
                                List.of(words).subList(1, words.length),
                                mark == '?',
                                own));
            }
            if (sentence) {
                own.add(line.substring(2));
            }
            before = mark;
        }
        return new Plot(name, List.copyOf(steps));
    }
}
