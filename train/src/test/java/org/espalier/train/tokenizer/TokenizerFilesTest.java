package org.espalier.train.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files as another implementation sees them: the Rust tokenizers library inside DJL. */
class TokenizerFilesTest {
    private static final List<String> CORPUS =
            List.of(
                    "Mira carried the red kite to the old pier.",
                    "\"Is that the kite?\" asked Tom. It was the red kite, and Mira's.",
                    "Seven apples, seven pears; the pears were theirs.");

    private static final List<String> AWKWARD =
            List.of(
                    "Mira flew the kite.",
                    "emoji 🙂👩‍🚀🇩🇪 and CJK 漢字かな한글",
                    "\ttabs\t\tand  runs   of    spaces  ",
                    "  \n\n \r\n leading",
                    "nul \u0000, no-break \u00a0, wide \u3000 space, e\u0301 combining, café",
                    "don't we'll they've 1234567890 !?#$%",
                    "the text <|end|> inside");

    @TempDir Path folder;

    @Test
    void everyTextComesBackFromItsIds() throws Exception {
        BytePairVocabulary vocabulary = BytePairTrainer.train(CORPUS, 300);
        TokenizerFiles.write(vocabulary, folder);
        try (HuggingFaceTokenizer tokenizer = open()) {
            for (String text : AWKWARD) {
                long[] ids = tokenizer.encode(text, false, false).getIds();
                assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
                assertThat(Arrays.stream(ids).boxed().toList())
                        .allSatisfy(id -> assertThat(id).isBetween(0L, vocabulary.size() - 1L));
            }
        }
    }

    @Test
    void beginComesFirstAndSpecialTokensKeepTheirIds() throws Exception {
        TokenizerFiles.write(BytePairTrainer.train(CORPUS, 300), folder);
        try (HuggingFaceTokenizer tokenizer = open()) {
            long[] plain = tokenizer.encode("the kite", false, false).getIds();
            long[] withBegin = tokenizer.encode("the kite", true, false).getIds();
            assertThat(withBegin[0]).isZero();
            assertThat(Arrays.copyOfRange(withBegin, 1, withBegin.length)).isEqualTo(plain);
            assertThat(tokenizer.encode("<|end|>", false, false).getIds()).containsExactly(1);
        }
    }

    @Test
    void otherImplementationAppliesOurMerges() throws Exception {
        BytePairVocabulary vocabulary = BytePairTrainer.train(CORPUS, 300);
        TokenizerFiles.write(vocabulary, folder);
        try (HuggingFaceTokenizer tokenizer = open()) {
            // The first merge's token is one id when it stands alone, unless a later merge
            // swallowed it.
            String token = vocabulary.tokens().get(258);
            long[] ids = tokenizer.encode(token.replace('\u0120', ' '), false, false).getIds();
            assertThat(ids).containsExactly(258);
        }
    }

    @Test
    void writingTwiceGivesTheSameBytesAndLeavesNothingBehind() throws Exception {
        BytePairVocabulary vocabulary = BytePairTrainer.train(CORPUS, 290);
        TokenizerFiles.write(vocabulary, folder);
        byte[] first = Files.readAllBytes(folder.resolve("tokenizer.json"));
        TokenizerFiles.write(BytePairTrainer.train(CORPUS, 290), folder);
        assertThat(Files.readAllBytes(folder.resolve("tokenizer.json"))).isEqualTo(first);
        try (var files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json");
        }
    }

    private HuggingFaceTokenizer open() throws Exception {
        return HuggingFaceTokenizer.newInstance(
                folder.resolve("tokenizer.json"),
                Map.of("addSpecialTokens", "false", "truncation", "false"));
    }
}
