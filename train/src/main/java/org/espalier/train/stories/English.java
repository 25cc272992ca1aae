package org.espalier.train.stories;

import java.util.Set;
import org.espalier.train.stories.Entity.Goods;

/** The little grammar that the sentences need. */
final class English {
    private static final String[] NUMBERS = {
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "twenty-one",
        "twenty-two",
        "twenty-three",
        "twenty-four",
        "twenty-five",
        "twenty-six",
        "twenty-seven",
        "twenty-eight",
        "twenty-nine",
        "thirty"
    };

    /** Written with a vowel, spoken with a consonant. */
    private static final Set<String> CONSONANT_SOUND =
            Set.of("one", "useful", "unicorn", "uniform", "ukulele");

    private English() {}

    /** The number as a word, 0 (as "no") to 30. */
    static String number(int number) {
        return NUMBERS[number];
    }

    static String counted(int number, Goods goods) {
        return number(number) + " " + (number == 1 ? goods.one() : goods.many());
    }

    /** The phrase with its indefinite article. */
    static String article(String phrase) {
        String first = phrase.split(" ")[0];
        boolean vowel = "aeiou".indexOf(first.charAt(0)) >= 0 && !CONSONANT_SOUND.contains(first);
        return (vowel ? "an " : "a ") + phrase;
    }

    static String capitalized(String phrase) {
        return Character.toUpperCase(phrase.charAt(0)) + phrase.substring(1);
    }
}
