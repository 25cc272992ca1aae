package org.espalier.train.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;

class PackedTokensTest {
    private final PackedTokens packed = new PackedTokens("abcdefghijkl".toCharArray(), 3, 5);

    @Test
    void everyTokenButTheFirstIsATargetOnce() {
        assertThat(packed.count()).isEqualTo(3);
        assertThat(packed.sequence(0)).containsExactly('a', 'b', 'c', 'd');
        assertThat(packed.sequence(1)).containsExactly('d', 'e', 'f', 'g');
        assertThat(packed.sequence(2)).containsExactly('g', 'h', 'i', 'j');
    }

    @Test
    void anEpochReadsEverySequenceOnceAndAnyPositionCanBeReadAlone() {
        List<Long> firsts = new ArrayList<>();
        for (int position = 0; position < 3; position++) {
            firsts.add(packed.shuffled(position)[0]);
        }
        assertThat(firsts).containsExactlyInAnyOrder((long) 'a', (long) 'd', (long) 'g');
        long[] late = packed.shuffled(1000);
        packed.shuffled(2);
        assertThat(packed.shuffled(1000)).containsExactly(late);
    }

    @Test
    void entropyOfSingleTokens() {
        assertThat(new PackedTokens("aabc".toCharArray(), 2, 0).unigramEntropy())
                .isCloseTo(1.5 * Math.log(2), within(1e-12));
    }

    @Test
    void aRowShorterThanASequenceIsTheUsersMistake() {
        assertThatThrownBy(() -> new PackedTokens("abc".toCharArray(), 3, 0))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("3 tokens")
                .hasMessageContaining("needs 4");
    }
}
