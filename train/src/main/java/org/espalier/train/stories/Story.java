package org.espalier.train.stories;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One story.
 *
 * @param index its number under the teller's seed
 * @param plots the names of the plots that it tells, one or two
 * @param rare whether a thing, goods or something built of a rare kind plays a part
 * @param text the story itself, 60 to 220 words, one paragraph per line
 * @param events what happens, in order; replaying them gives every fact
 * @param questions every question that it answers, in a random order
 * @param asked how many of the questions, from the first, the training text asks; often none
 */
public record Story(
        long index,
        Domain domain,
        List<String> plots,
        boolean rare,
        String text,
        List<Event> events,
        List<Question> questions,
        int asked) {
    public Story {
        plots = List.copyOf(plots);
        events = List.copyOf(events);
        questions = List.copyOf(questions);
    }

    /** The text, and after it, one per line, the questions asked with their answers. */
    public String trainingText() {
        return Stream.concat(Stream.of(text), questions.stream().limit(asked).map(Question::line))
                .collect(Collectors.joining("\n"));
    }
}
