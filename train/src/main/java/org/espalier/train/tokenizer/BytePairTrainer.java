package org.espalier.train.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.espalier.core.UserError;
import org.espalier.train.tokenizer.BytePairVocabulary.Merge;

/**
 * Learns a byte-level byte-pair encoding (Sennrich, Haddow and Birch 2016, on bytes as in GPT-2): again and again the
 * most frequent pair of neighbouring tokens becomes a token of its own.
 *
 * <p>Works on word counts with incremental pair counts: a merge touches only the words that hold its pair. Equal
 * counts are settled by the pair's spelling, left part first, so one corpus gives one vocabulary.
 */
public final class BytePairTrainer {
    /** A pair seen once only is noise; such merges would memorise the corpus. */
    static final long SMALLEST_COUNT = 2;

    private final List<String> tokens = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<int[]> words = new ArrayList<>();
    private final List<Long> wordCounts = new ArrayList<>();
    private final Map<Pair, Long> pairCounts = new HashMap<>();
    private final Map<Pair, Set<Integer>> wordsOfPair = new HashMap<>();

    private final PriorityQueue<Candidate> queue =
            new PriorityQueue<>(
                    Comparator.comparingLong(Candidate::count)
                            .reversed()
                            .thenComparing(candidate -> tokens.get(candidate.pair().left()))
                            .thenComparing(candidate -> tokens.get(candidate.pair().right())));

    private record Pair(int left, int right) {}

    /** A pair with the count that it had when it was queued; stale when the count has changed since. */
    private record Candidate(Pair pair, long count) {}

    private BytePairTrainer() {}

    /**
     * Learns a vocabulary.
     *
     * @param texts the corpus, read once
     * @param size tokens wanted, at least {@link BytePairVocabulary#SMALLEST}; fewer come out when the corpus has no
     *     pair left that occurs twice
     * @throws UserError when the size is too small or the corpus holds no text
     */
    public static BytePairVocabulary train(Iterable<String> texts, int size) {
        if (size < BytePairVocabulary.SMALLEST) {
            throw new UserError(
                    "vocabulary size "
                            + size
                            + " is too small: the 256 bytes and two special tokens need "
                            + BytePairVocabulary.SMALLEST
                            + "; ask for at least that many");
        }
        WordCounts counts = new WordCounts();
        texts.forEach(counts::add);
        if (counts.isEmpty()) {
            throw new UserError(
                    "the corpus for the tokenizer holds no text; give at least one text that is not empty");
        }
        return new BytePairTrainer().learn(counts, size);
    }

    private BytePairVocabulary learn(WordCounts counts, int size) {
        idOf(BytePairVocabulary.BEGIN);
        idOf(BytePairVocabulary.END);
        ByteAlphabet.tokens().forEach(this::idOf);
        counts.spelled().forEach(this::addWord);
        pairCounts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));

        List<Merge> merges = new ArrayList<>();
        while (tokens.size() < size && !queue.isEmpty()) {
            Candidate best = queue.remove();
            if (best.count() != pairCounts.getOrDefault(best.pair(), 0L)) {
                continue;
            }
            if (best.count() < SMALLEST_COUNT) {
                break;
            }
            Merge merge =
                    new Merge(tokens.get(best.pair().left()), tokens.get(best.pair().right()));
            merges.add(merge);
            merge(best.pair(), idOf(merge.joined()));
        }
        return new BytePairVocabulary(tokens, merges);
    }

    /** The id of a token, a new one if it is unknown: two different merges may spell the same token. */
    private int idOf(String token) {
        return ids.computeIfAbsent(
                token,
                fresh -> {
                    tokens.add(fresh);
                    return tokens.size() - 1;
                });
    }

    private void addWord(String spelling, long count) {
        int[] symbols =
                spelling.chars().map(letter -> idOf(String.valueOf((char) letter))).toArray();
        int index = words.size();
        words.add(symbols);
        wordCounts.add(count);
        for (int i = 0; i + 1 < symbols.length; i++) {
            change(new Pair(symbols[i], symbols[i + 1]), count, index);
        }
    }

    private void merge(Pair pair, int joined) {
        Set<Integer> touched = wordsOfPair.getOrDefault(pair, Set.of());
        Set<Pair> changed = new HashSet<>();
        for (int index : List.copyOf(touched)) {
            int[] before = words.get(index);
            int[] after = join(before, pair, joined);
            if (after.length == before.length) {
                continue;
            }
            long count = wordCounts.get(index);
            for (int i = 0; i + 1 < before.length; i++) {
                Pair old = new Pair(before[i], before[i + 1]);
                change(old, -count, index);
                changed.add(old);
            }
            for (int i = 0; i + 1 < after.length; i++) {
                Pair fresh = new Pair(after[i], after[i + 1]);
                change(fresh, count, index);
                changed.add(fresh);
            }
            words.set(index, after);
        }
        wordsOfPair.remove(pair);
        for (Pair candidate : changed) {
            long count = pairCounts.getOrDefault(candidate, 0L);
            if (count > 0) {
                queue.add(new Candidate(candidate, count));
            }
        }
    }

    /** The set of words only grows: a word that has lost the pair is skipped when its turn comes. */
    private void change(Pair pair, long by, int word) {
        if (pairCounts.merge(pair, by, Long::sum) == 0) {
            pairCounts.remove(pair);
        }
        if (by > 0) {
            wordsOfPair.computeIfAbsent(pair, fresh -> new HashSet<>()).add(word);
        }
    }

    /** Every occurrence of the pair, from the left, replaced by one symbol. */
    private static int[] join(int[] symbols, Pair pair, int joined) {
        int[] result = new int[symbols.length];
        int length = 0;
        for (int i = 0; i < symbols.length; i++) {
            boolean match =
                    i + 1 < symbols.length
                            && symbols[i] == pair.left()
                            && symbols[i + 1] == pair.right();
            result[length++] = match ? joined : symbols[i];
            if (match) {
                i++;
            }
        }
        return Arrays.copyOf(result, length);
    }
}
