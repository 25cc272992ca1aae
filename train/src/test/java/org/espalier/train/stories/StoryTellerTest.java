package org.espalier.train.stories;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class StoryTellerTest {
    private static final long SEED = 20251;
    private static final int MANY = 4000;

    private static final List<Story> STORIES = new StoryTeller(SEED).stories(0, MANY).toList();

    @Test
    void oneSeedAndIndexGiveOneStory() {
        StoryTeller again = new StoryTeller(SEED);
        for (int index : new int[] {3999, 0, 17, 17}) {
            assertThat(again.story(index)).isEqualTo(STORIES.get(index));
        }
        assertThat(new StoryTeller(SEED + 1).story(17).text()).isNotEqualTo(STORIES.get(17).text());
    }

    @Test
    void storiesDiffer() {
        assertThat(STORIES.stream().map(Story::text).distinct()).hasSize(MANY);
    }

    @Test
    void everyAnswerFollowsFromTheEvents() {
        for (Story story : STORIES) {
            Replay replay = new Replay(story.events());
            for (Question question : story.questions()) {
                assertThat(replay.answer(question).toLowerCase(Locale.ROOT) + ".")
                        .as("seed %d story %d: %s", SEED, story.index(), question)
                        .isEqualTo(question.answer().toLowerCase(Locale.ROOT));
            }
        }
    }

    /** What a question is about and what it answers must have been told, or nobody could know. */
    @Test
    void everythingAskedIsTold() {
        for (Story story : STORIES) {
            String text = story.text().toLowerCase(Locale.ROOT);
            for (Question question : story.questions()) {
                String answer = question.answer().replace(".", "").toLowerCase(Locale.ROOT);
                String told =
                        switch (question.kind()) {
                            case HOLDER, GIVER, BUILDER -> answer;
                            case PERSON_PLACE, THING_PLACE -> answer.replaceFirst("^[a-z]+ ", "");
                            case COUNT, WEATHER, FRIENDSHIP -> "";
                        };
                assertThat(text).as("story %d: %s", story.index(), question).contains(told);
            }
        }
    }

    @Test
    void everyDomainPlotAndKindOfQuestionAppears() {
        assertThat(STORIES.stream().map(Story::domain).collect(Collectors.toSet()))
                .isEqualTo(EnumSet.allOf(Domain.class));
        assertThat(
                        STORIES.stream()
                                .flatMap(story -> story.plots().stream())
                                .collect(Collectors.toSet()))
                .isEqualTo(Plot.load().stream().map(Plot::name).collect(Collectors.toSet()));
        assertThat(
                        STORIES.stream()
                                .flatMap(story -> story.questions().stream())
                                .map(Question::kind)
                                .collect(Collectors.toSet()))
                .isEqualTo(EnumSet.allOf(Question.Kind.class));
    }

    @Test
    void aDomainCanBeAskedFor() {
        StoryTeller teller = new StoryTeller(SEED);
        for (Domain domain : Domain.values()) {
            assertThat(teller.story(5, domain).domain()).isEqualTo(domain);
            assertThat(teller.story(5, domain)).isEqualTo(teller.story(5, domain));
        }
    }

    @Test
    void rareKindsAreRareButThere() {
        double questions = STORIES.stream().mapToLong(story -> story.questions().size()).sum();
        double rare =
                STORIES.stream()
                        .flatMap(story -> story.questions().stream())
                        .filter(Question::rare)
                        .count();
        assertThat(rare / questions).isBetween(0.03, 0.15);
        assertThat(STORIES.stream().filter(Story::rare).count() / (double) MANY)
                .isBetween(0.03, 0.2);
    }

    @Test
    void questionsAreAskedInTheDocumentedShareOfTexts() {
        double asked = STORIES.stream().filter(story -> story.asked() > 0).count() / (double) MANY;
        assertThat(asked)
                .isBetween(StoryTeller.QUESTION_SHARE - 0.04, StoryTeller.QUESTION_SHARE + 0.04);
        Story story =
                STORIES.stream()
                        .filter(candidate -> candidate.asked() == 2)
                        .findFirst()
                        .orElseThrow();
        Question first = story.questions().getFirst();
        assertThat(story.trainingText())
                .startsWith(
                        story.text()
                                + "\nQuestion: "
                                + first.text()
                                + " Answer: "
                                + first.answer()
                                + "\n")
                .endsWith(story.questions().get(1).line());
    }

    @Test
    void textIsClean() {
        Set<String> vowels = Set.of("a", "e", "i", "o", "u");
        for (Story story : STORIES) {
            String text = story.trainingText();
            assertThat(text)
                    .as("seed %d story %d", SEED, story.index())
                    .doesNotContain("{", "}", "  ", " \n", "\n ", " .", " ,", "null")
                    .matches("(?s)[A-Z\"].*[.!?\"]")
                    .doesNotContainPattern("[.!?] [a-z]")
                    .doesNotContainPattern("(?m)^[a-z]");
            assertThat(story.text().split("\\s+").length)
                    .isBetween(StoryTeller.SHORTEST_WORDS, StoryTeller.LONGEST_WORDS);
            for (String word : text.split("\\b[Aa] (?=[a-z])")) {
                assertThat(
                                word.equals(text)
                                        || !vowels.contains(
                                                word.substring(0, Math.min(1, word.length()))))
                        .as("'a' before a vowel in story %d: %s", story.index(), word)
                        .isTrue();
            }
            assertThat(text).doesNotContainPattern("\\b[Aa]n (?!hour)[^aeiou]");
        }
    }

    @Test
    void wordListsAreLargeEnough() {
        Lexicon lexicon = Lexicon.load();
        assertThat(lexicon.names()).hasSizeGreaterThanOrEqualTo(40);
        assertThat(
                        lexicon.words().values().stream()
                                .flatMap(words -> words.things().stream().map(Lexicon.Noun::text))
                                .distinct()
                                .count())
                .isGreaterThanOrEqualTo(80);
        assertThat(
                        lexicon.words().values().stream()
                                .flatMap(words -> words.places().stream().map(Entity.Place::at))
                                .distinct()
                                .count())
                .isGreaterThanOrEqualTo(40);
    }
}
