package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.gguf.GgufFile;
import org.espalier.checkpoint.gguf.GgufTokenizer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every way of cutting that the library's llama.cpp knows gives its token ids. */
class PreTokenizersLlamaCppTest {
    private static final int TEXT = 8;
    private static final int ARRAY = 9;

    /** hedgerow's merges never span what these cut, so merges that do are added to its vocabulary. */
    private static final List<String> SPANNING =
            List.of(
                    "1 2",
                    "12 3",
                    "123 4",
                    "1234 5",
                    "\u0120 1",
                    "' s",
                    "' S",
                    "' t",
                    ". .",
                    ".. .",
                    "\u010a \u010a",
                    "\u010a\u010a \u010a",
                    "\u0120 \u0120",
                    "\u0120\u0120 \u0120",
                    "\u0120 \u010a",
                    "! \u010a",
                    "/ \u010a",
                    ") \u010a",
                    "a B",
                    "A B",
                    "AB c",
                    "\u00c3 \u00a9",
                    "e \u00c3\u00a9",
                    "\u00c3 \u012b",
                    "\u00c3\u012b c",
                    "\u00e4 \u00bd",
                    "\u00e4\u00bd \u0142",
                    "\u00e4\u00bd\u0142 \u00e5",
                    "\u00e0 \u00a4",
                    "\u00e0\u00a4 \u00a8",
                    "\u00e0\u00a4\u00a8 \u00e0",
                    "\u00f0 \u0141",
                    "\u00f0\u0141 \u013a",
                    "= =",
                    "== =",
                    "= 1",
                    "$ 1",
                    "x =",
                    "( x",
                    "\u00d9 \u0127",
                    "\u00d9\u0127 \u00d8",
                    "\u010a a",
                    "\u0120 .",
                    "\u0120. a",
                    "\u0109 \u0109",
                    "\u0120 \u0109");

    private static final List<String> TEXTS =
            List.of(
                    "",
                    "Hello world, it's 12345 o'clock! DON'T WE'LL I'M",
                    "  two blanks,   three,\ttab\t\t\n\nlines \n \n  end  ",
                    "x = [1, 22, 333, 4444]; // 100% done's 0.5e-3 == $12.50 a+b<c>d^e~f|g`h",
                    "camelCase HTTPServer aBc ABc iPhone \u00c9cole \u00e9Abc na\u00efve \u00c5ngstr\u00f6m",
                    "\u4f60\u597d\u4e16\u754c\u3002123\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\uff01 \ud55c\uad6d\uc5b4",
                    "\u0645\u0631\u062d\u0628\u0627 \u0661\u0662\u0663 \u0928\u092e\u0938\u094d\u0924\u0947 \u0967\u0968\u0969",
                    "\ud83d\ude00\ud83d\udc4d\ud83c\udffd emoji \ud83c\uddea\ud83c\uddfa",
                    "\u3000wide\u00a0blank\u2003of kinds",
                    "https://a.b/c?d=e&f=1234567#g\r\n\r\nfoo(){\n\treturn 1;\n}\n",
                    "\u2460 \u00bd \u00b2 \u2167 \u00ab\u00bb \u2014 \u2026 \u20ac5");

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "default",
                "gpt-2",
                "phi-2",
                "mpt",
                "olmo",
                "smollm",
                "starcoder",
                "refact",
                "command-r",
                "codeshell",
                "exaone",
                "minerva-7b",
                "llama-bpe",
                "llama3",
                "falcon3",
                "dbrx",
                "smaug-bpe",
                "chatglm-bpe",
                "qwen2",
                "deepseek-r1-qwen",
                "stablelm2",
                "megrez",
                "tekken",
                "gpt-4o",
                "deepseek-v3",
                "deepseek-coder",
                "falcon",
                "bloom",
                "poro-chat",
                "viking"
            })
    void theIdsAreThoseOfLlamaCpp(String pre) throws IOException {
        Path file = vocabulary(pre);
        try (LlamaVocabulary theirs = new LlamaVocabulary(file);
                GgufFile opened = GgufFile.open(file);
                Tokenizer ours = GgufTokenizer.open(opened)) {
            for (String text : TEXTS) {
                assertThat(ours.encode(text, true))
                        .as("%s: <%s>", pre, text)
                        .isEqualTo(theirs.encode(text, true));
            }
        }
    }

    private Path vocabulary(String pre) throws IOException {
        JsonNode model =
                JsonMapper.shared()
                        .readTree(
                                Files.readAllBytes(
                                        Runs.root().resolve("models/hedgerow-3m/tokenizer.json")))
                        .path("model");
        String[] tokens = new String[model.path("vocab").size()];
        model.path("vocab")
                .properties()
                .forEach(entry -> tokens[entry.getValue().asInt()] = entry.getKey());
        List<String> all = new ArrayList<>(List.of(tokens));
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : model.path("merges")) {
            merges.add(
                    merge.isArray()
                            ? merge.get(0).asString() + " " + merge.get(1).asString()
                            : merge.asString());
        }
        for (String merge : SPANNING) {
            String joined = merge.replace(" ", "");
            if (!all.contains(joined)) {
                all.add(joined);
                merges.add(merge);
            }
        }
        ByteArrayOutputStream entries = new ByteArrayOutputStream();
        text(entries, "general.architecture", "llama");
        text(entries, "tokenizer.ggml.model", "gpt2");
        text(entries, "tokenizer.ggml.pre", pre);
        texts(entries, "tokenizer.ggml.tokens", all);
        texts(entries, "tokenizer.ggml.merges", merges);
        string(entries, "tokenizer.ggml.bos_token_id");
        entries.writeBytes(ints(4, 0));
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes("GGUF".getBytes(StandardCharsets.UTF_8));
        whole.writeBytes(ints(3, 0, 0, 6, 0));
        entries.writeTo(whole);
        whole.writeBytes(new byte[64]);
        return Files.write(folder.resolve(pre + ".gguf"), whole.toByteArray());
    }

    private static byte[] ints(int... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int value : values) {
            buffer.putInt(value);
        }
        return buffer.array();
    }

    private static void string(ByteArrayOutputStream out, String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        out.writeBytes(ints(utf8.length, 0));
        out.writeBytes(utf8);
    }

    private static void text(ByteArrayOutputStream out, String key, String value) {
        string(out, key);
        out.writeBytes(ints(TEXT));
        string(out, value);
    }

    private static void texts(ByteArrayOutputStream out, String key, List<String> values) {
        string(out, key);
        out.writeBytes(ints(ARRAY, TEXT, values.size(), 0));
        values.forEach(value -> string(out, value));
    }
}
