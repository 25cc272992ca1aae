package org.espalier.train.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.espalier.train.tokenizer.BytePairVocabulary.Merge;

/** The textbook loop: recount every pair of every word before each merge. The oracle for the fast trainer. */
final class NaiveBytePairTrainer {
    private NaiveBytePairTrainer() {}

    static List<Merge> merges(List<String> texts, int size) {
        WordCounts counts = new WordCounts();
        texts.forEach(counts::add);
        Map<List<String>, Long> words = new HashMap<>();
        counts.spelled().forEach((word, count) -> words.put(List.of(word.split("")), count));
        Set<String> tokens = new LinkedHashSet<>(ByteAlphabet.tokens());
        List<Merge> merges = new ArrayList<>();
        while (tokens.size() + 2 < size) {
            Map<Merge, Long> pairs = new HashMap<>();
            words.forEach((word, count) -> {
                for (int i = 0; i + 1 < word.size(); i++) {
                    pairs.merge(new Merge(word.get(i), word.get(i + 1)), count, Long::sum);
                }
            });
            Merge best =
                    pairs.keySet().stream()
                            .min(
                                    Comparator.comparingLong(
                                                    (Merge merge) -> -pairs.getOrDefault(merge, 0L))
                                            .thenComparing(Merge::left)
                                            .thenComparing(Merge::right))
                            .orElse(null);
            if (best == null || pairs.getOrDefault(best, 0L) < 2) {
                return merges;
            }
            merges.add(best);
            tokens.add(best.joined());
            Map<List<String>, Long> next = new HashMap<>();
            words.forEach((word, count) -> next.merge(apply(word, best), count, Long::sum));
            words.clear();
            words.putAll(next);
        }
        return merges;
    }

    private static List<String> apply(List<String> word, Merge merge) {
        List<String> result = new ArrayList<>();
        int i = 0;
        while (i < word.size()) {
            boolean match =
                    i + 1 < word.size()
                            && word.get(i).equals(merge.left())
                            && word.get(i + 1).equals(merge.right());
            result.add(match ? merge.joined() : word.get(i));
            i += match ? 2 : 1;
        }
        return result;
    }
}
