package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which byte-level BPE cuts a text before it merges, by the expressions that llama.cpp applies one after the
 * other ({@code llm_tokenizer_bpe}). Each has the names that {@code tokenizer.ggml.pre} gives it; the first of them is
 * written on export.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are made by List.of
enum Cutting {
    GPT2(
            List.of(Expressions.GPT2),
            "gpt-2",
            "phi-2",
            "mpt",
            "olmo",
            "jais",
            "jina-es",
            "jina-de",
            "jina-v2-es",
            "jina-v2-de",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "exaone4",
            "trillion",
            "granite-docling"),
    SINGLE_DIGITS(
            List.of(Expressions.DIGIT, Expressions.GPT2),
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2"),
    LLAMA3(
            List.of(Expressions.modern("{1,3}")),
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2"),
    DBRX(List.of(Expressions.modern("{1,3}")), "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"),
    QWEN2_NORMALIZED(List.of(Expressions.modern("")), "qwen2"),
    QWEN2(
            List.of(Expressions.modern("")),
            "deepseek-r1-qwen",
            "stablelm2",
            "megrez",
            "hunyuan",
            "solar-open",
            "grok-2",
            "kormo"),
    QWEN35(List.of(Expressions.QWEN35), "qwen35"),
    TEKKEN(List.of(Expressions.cased("", "\\p{N}")), "tekken"),
    GPT4O(
            List.of(Expressions.cased(Expressions.ENDING, "\\p{N}{1,3}")),
            "gpt-4o",
            "llama4",
            "kanana2",
            "minimax-m2",
            "talkie"),
    DEEPSEEK3(
            List.of(
                    "\\p{N}{1,3}",
                    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
                            + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
                            + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            "deepseek-v3",
            "hunyuan-dense",
            "joyai-llm"),
    DEEPSEEK_CODER(
            List.of(
                    "[\\r\\n]",
                    "\\s?\\p{L}+",
                    "\\s?\\p{P}+",
                    "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
                    "\\p{N}"),
            "deepseek-coder"),
    FALCON(List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", Expressions.GPT2, "[0-9][0-9][0-9]"), "falcon"),
    BLOOM(List.of(Expressions.BLOOM), "bloom", "poro-chat", "gpt3-finnish"),
    VIKING(List.of(Expressions.BLOOM, Expressions.DIGIT), "viking"),
    SEED_CODER(
            List.of(
                    Expressions.CONTRACTION
                            + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+"
                            + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
            "seed-coder"),
    BAILING(
            List.of(
                    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
                            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),
            "bailingmoe",
            "bailingmoe2",
            "llada-moe"),
    SUPERBPE(List.of("\\p{N}+", "(?=(\\d{3})+(?!\\d))"), "superbpe"),
    DEFAULT(
            List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", Expressions.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"),
            "default");

    /** Expressions of tokenizer.json files that cut as one of these does, or nearly, and go by its name. */
    private static final Map<List<String>, Cutting> ORIGINALS = originals();

    private final List<String> expressions;
    private final List<String> names;

    Cutting(List<String> expressions, String... names) {
        this.expressions = expressions;
        this.names = List.of(names);
    }

    /** The pieces that the expressions share. */
    private static final class Expressions {
        static final String DIGIT = "\\p{N}";
        static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
        static final String ENDING = CONTRACTION + "?";
        static final String BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";
        static final String GPT2 =
                "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
        static final String QWEN35 =
                CONTRACTION
                        + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
                        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

        private Expressions() {}

        /** Contractions, letters, digits, others, line ends, blanks. */
        static String modern(String digits) {
            return CONTRACTION
                    + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
                    + digits
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        }

        /** Words begin anew where a capital follows; llama.cpp looks at the case of ASCII letters only. */
        static String cased(String ending, String digits) {
            String upper = "((?=[\\p{L}])([^a-z]))";
            String lower = "((?=[\\p{L}])([^A-Z]))";
            return words(upper, lower, ending, digits);
        }

        /** The same as the models' own tokenizer.json files have it. */
        static String casedOriginal(String ending, String digits) {
            return words(
                    "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]",
                    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]",
                    ending,
                    digits);
        }

        private static String words(String upper, String lower, String ending, String digits) {
            String before = "[^\\r\\n\\p{L}\\p{N}]?";
            return before
                    + (upper + "*" + lower + "+" + ending + "|" + before)
                    + (upper + "+" + lower + "*" + ending + "|" + digits)
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        }
    }

    private static Map<List<String>, Cutting> originals() {
        Map<List<String>, Cutting> originals = new LinkedHashMap<>();
        originals.put(List.of(Expressions.casedOriginal("", "\\p{N}")), TEKKEN);
        originals.put(List.of(Expressions.casedOriginal(Expressions.ENDING, "\\p{N}{1,3}")), GPT4O);
        originals.put(
                List.of(
                        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}"
                                + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"),
                BAILING);
        return originals;
    }

    /** The way of a name; null for an unknown one. */
    static @Nullable Cutting named(String name) {
        for (Cutting cutting : values()) {
            if (cutting.names.contains(name)) {
                return cutting;
            }
        }
        return null;
    }

    /** The way that cuts with these expressions; null where there is none. */
    static @Nullable Cutting of(List<String> expressions) {
        for (Cutting cutting : values()) {
            // The two with one expression differ in what they do besides; the first is the usual
            // one.
            if (cutting.expressions.equals(expressions)) {
                return cutting;
            }
        }
        return ORIGINALS.get(expressions);
    }

    /** Whether these expressions give a way its name without being llama.cpp's. */
    static boolean isOnlyNear(List<String> expressions) {
        return ORIGINALS.containsKey(expressions);
    }

    /** All names. */
    static List<String> known() {
        List<String> known = new ArrayList<>();
        for (Cutting cutting : values()) {
            known.addAll(cutting.names);
        }
        return known;
    }

    /** The expressions in their order. */
    List<String> expressions() {
        return expressions;
    }

    /** The name to write. */
    String firstName() {
        return names.getFirst();
    }

    /** Whether a word that is a token is taken whole. */
    boolean ignoresMerges() {
        return this == LLAMA3 || this == TEKKEN;
    }

    /** Whether llama.cpp puts BOS in front where the file does not say. */
    boolean beginsWithBos() {
        return this == LLAMA3 || this == TEKKEN;
    }
}
