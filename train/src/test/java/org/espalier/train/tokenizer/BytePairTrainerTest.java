package org.espalier.train.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.espalier.core.UserError;
import org.espalier.train.tokenizer.BytePairVocabulary.Merge;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BytePairTrainerTest {
    private static final List<String> ENGLISH =
            List.of(
                    "The hedge hid the hedgehog, and the hedgehog hid the egg.",
                    "She said that she'd seen thirteen sheep; they weren't there.",
                    "aaaa aaaaa aaa aaaaaaa banana bananas\n\n\tanna  annas   1999 19 199");

    @Test
    void fastTrainerAgreesWithTheTextbookLoop() {
        BytePairVocabulary vocabulary = BytePairTrainer.train(ENGLISH, 330);
        assertThat(vocabulary.merges())
                .isNotEmpty()
                .isEqualTo(NaiveBytePairTrainer.merges(ENGLISH, 330));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void fastTrainerAgreesOnRandomTextsOfFewLetters(long seed) {
        Random random = new Random(seed);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            StringBuilder text = new StringBuilder();
            int length = 1 + random.nextInt(40);
            for (int j = 0; j < length; j++) {
                text.append("aab é🙂 ".charAt(random.nextInt(7)));
            }
            texts.add(text.toString());
        }
        assertThat(BytePairTrainer.train(texts, 400).merges())
                .as("seed %d", seed)
                .isEqualTo(NaiveBytePairTrainer.merges(texts, 400));
    }

    @Test
    void equalCountsAreSettledBySpelling() {
        BytePairVocabulary vocabulary =
                BytePairTrainer.train(List.of("dc", "dc", "ab", "ab", "aa", "aa"), 300);
        assertThat(vocabulary.merges())
                .containsExactly(new Merge("a", "a"), new Merge("a", "b"), new Merge("d", "c"));
    }

    @Test
    void idsAreSpecialTokensThenBytesThenMerges() {
        BytePairVocabulary vocabulary = BytePairTrainer.train(ENGLISH, 280);
        assertThat(vocabulary.size()).isEqualTo(280);
        assertThat(vocabulary.tokens().subList(0, 3)).containsExactly("<|begin|>", "<|end|>", "!");
        assertThat(vocabulary.tokens().subList(2, 258)).isSorted().doesNotHaveDuplicates();
        assertThat(vocabulary.tokens().get(258)).isEqualTo(vocabulary.merges().getFirst().joined());
    }

    @Test
    void smallestVocabularyIsTheBytesAlone() {
        BytePairVocabulary vocabulary = BytePairTrainer.train(ENGLISH, 258);
        assertThat(vocabulary.size()).isEqualTo(258);
        assertThat(vocabulary.merges()).isEmpty();
    }

    @Test
    void trainingStopsWhenNoPairOccursTwice() {
        assertThat(BytePairTrainer.train(List.of("abcdef"), 1024).size()).isEqualTo(258);
    }

    @Test
    void tooSmallAVocabularyIsRefused() {
        assertThatThrownBy(() -> BytePairTrainer.train(ENGLISH, 257))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("257")
                .hasMessageContaining("258");
    }

    @Test
    void emptyCorpusIsRefused() {
        assertThatThrownBy(() -> BytePairTrainer.train(List.of(), 1024))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("no text");
        assertThatThrownBy(() -> BytePairTrainer.train(List.of("", ""), 1024))
                .isInstanceOf(UserError.class);
    }
}
