package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenizerTest {
    @Test
    void stories260kPutsBosInFrontAndRoundTripsText() {
        try (Checkpoint checkpoint = Checkpoint.open(RealData.path("lm-stories260k"))) {
            Tokenizer tokenizer = checkpoint.tokenizer();
            String text = "Once upon a time, there was a little girl named Zoë.\nShe had 3 cats.";
            long[] full = tokenizer.encode(text, true);
            long[] plain = tokenizer.encode(text, false);
            assertThat(full[0]).isEqualTo(1);
            assertThat(full).hasSize(plain.length + 1).endsWith(plain);
            assertThat(tokenizer.decode(full)).isEqualTo(text);
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).hasValue(2);
            assertThat(tokenizer.addsBos()).isTrue();
            assertThat(tokenizer.vocabularySize()).isEqualTo(512);
        }
    }

    @Test
    void longTextIsNotCut() {
        try (Tokenizer tokenizer = Tokenizer.fromFolder(RealData.path("lm-stories260k"))) {
            long[] ids = tokenizer.encode("Lily likes cats. ".repeat(3000), true);
            assertThat(ids.length).isGreaterThan(12_000);
        }
    }
}
