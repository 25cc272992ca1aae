package org.espalier.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Json;
import org.espalier.checkpoint.PickleFile;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.checkpoint.chat.ChatTemplate;
import org.espalier.checkpoint.gguf.GgufFile;
import org.espalier.checkpoint.gguf.GgufListing;
import org.espalier.checkpoint.gguf.GgufModel;
import org.espalier.checkpoint.gguf.Imatrix;
import org.espalier.core.UserError;
import org.espalier.network.Decoder;
import org.espalier.network.DecoderConfig;
import org.espalier.network.family.Families;
import org.espalier.network.text.TextEncoder;
import org.espalier.network.text.TextSource;
import org.espalier.prune.RecipeBook;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One target per kind of file. Without {@code JAZZER_FUZZ} each runs over its inputs in
 * {@code src/test/resources/org/espalier/fuzz/ReadersFuzzTestInputs}: seeds, and every finding so far. See
 * docs/fuzzing.md.
 */
@Timeout(60)
class ReadersFuzzTest {
    private static final RecipeBook RECIPES = RecipeBook.shipped();

    private static final List<Map<String, Object>> CHAT =
            List.of(
                    Map.of("role", "system", "content", "Be short."),
                    Map.of("role", "user", "content", " Hello?\n"),
                    Map.of("role", "assistant", "content", "Yes {{ no }}."));
    private static final int LETTERS_VOCABULARY = 0x10000;

    /** Every char is a token. */
    private static final TextEncoder LETTERS =
            new TextEncoder() {
                @Override
                public long[] encode(String text) {
                    return text.chars().asLongStream().toArray();
                }

                @Override
                public long[] encodeChat(List<Map<String, Object>> messages) {
                    return encode(messages.toString());
                }
            };

    @TempDir static Path folder;

    /** What lies beside an index and a tokenizer. */
    @BeforeAll
    static void writeTheFilesBeside() throws IOException {
        Path sharded = Files.createDirectory(folder.resolve("sharded"));
        Files.writeString(sharded.resolve("config.json"), "{}");
        Path packed = Files.createDirectory(folder.resolve("packed"));
        Files.writeString(packed.resolve("config.json"), "{}");
        Files.createDirectory(folder.resolve("pieces"));
        Files.createDirectory(folder.resolve("pairs"));
        Path scaled = Files.createDirectory(folder.resolve("scaled"));
        Files.writeString(
                scaled.resolve("config.json"),
                "{\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [2, 3]}}");
        writeShard(sharded.resolve("a.safetensors"), "one");
        writeShard(sharded.resolve("b.safetensors"), "two");
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}");
        writeTheModelOfADescriptor();
        Files.write(folder.resolve("m-00001-of-00002.gguf"), firstPart());
    }

    /** A part with one tensor of two numbers, of a model of two tensors. */
    private static byte[] firstPart() {
        ByteBuffer part = ByteBuffer.allocate(232).order(ByteOrder.LITTLE_ENDIAN);
        part.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(1).putLong(3);
        name(part, "split.no").putInt(2).putShort((short) 0);
        name(part, "split.count").putInt(2).putShort((short) 2);
        name(part, "split.tensors.count").putInt(5).putInt(2);
        name(part, "a").putInt(1).putLong(2).putInt(0).putLong(0);
        part.position((part.position() + 31) / 32 * 32);
        part.putFloat(1).putFloat(2);
        return Arrays.copyOf(part.array(), part.position());
    }

    private static ByteBuffer name(ByteBuffer part, String name) {
        return part.putLong(name.length()).put(name.getBytes(StandardCharsets.US_ASCII));
    }

    /** What a descriptor lies beside: a model of its family, of whose tensors nearly all are missing. */
    private static void writeTheModelOfADescriptor() throws IOException {
        Path described = Files.createDirectory(folder.resolve("described"));
        writeShard(described.resolve("model.safetensors"), "model.norm.weight");
        Files.writeString(
                described.resolve("config.json"),
                """
                {"model_type": "stablelm", "vocab_size": 19, "hidden_size": 48,
                 "intermediate_size": 13, "num_hidden_layers": 2, "num_attention_heads": 3,
                 "num_key_value_heads": 1, "use_qkv_bias": true}
                """);
    }

    /** One F32 tensor of two elements. */
    private static void writeShard(Path file, String tensor) throws IOException {
        byte[] header =
                "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"
                        .formatted(tensor)
                        .getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[8 + header.length + 8];
        bytes[0] = (byte) header.length;
        System.arraycopy(header, 0, bytes, 8, header.length);
        Files.write(file, bytes);
    }

    @FuzzTest(maxDuration = "24h")
    void safetensors(byte[] bytes) {
        Hostile.read(
                folder.resolve("model.safetensors"),
                bytes,
                path -> {
                    try (SafetensorsFile file = SafetensorsFile.open(path)) {
                        file.tensors().keySet().forEach(file::tensor);
                    }
                });
    }

    /** The zip of {@code torch.save}, or its older form: every tensor. */
    @FuzzTest(maxDuration = "24h")
    void torchFile(byte[] bytes) {
        Hostile.read(folder.resolve("pytorch_model.bin"), bytes, ReadersFuzzTest::readTensors);
    }

    /** The pickle in a zip that is right, beside one storage of 64 bytes. */
    @FuzzTest(maxDuration = "24h")
    void pickle(byte[] bytes) {
        Hostile.read(
                folder.resolve("pytorch_model.bin"),
                StoredZip.of(Map.of("a/data.pkl", bytes, "a/data/0", new byte[64])),
                ReadersFuzzTest::readTensors);
    }

    private static void readTensors(Path path) {
        try (PickleFile file = PickleFile.open(path)) {
            file.twins();
            for (String tensor : file.tensors().keySet()) {
                file.tensor(tensor);
                file.unload(tensor);
            }
        }
    }

    @FuzzTest(maxDuration = "24h")
    void index(byte[] bytes) {
        Hostile.read(
                folder.resolve("sharded/model.safetensors.index.json"),
                bytes,
                path -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("sharded"))) {
                        checkpoint.tensors().keySet().forEach(checkpoint::tensor);
                    }
                });
    }

    /** Masks and values beside each other: every matrix, put together again. */
    @FuzzTest(maxDuration = "24h")
    void bitmask(byte[] bytes) {
        Hostile.read(
                folder.resolve("packed/model.bitmask.safetensors"),
                bytes,
                path -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("packed"))) {
                        checkpoint.bytesByType();
                        for (String tensor : checkpoint.tensors().keySet()) {
                            refusable(() -> checkpoint.tensor(tensor));
                        }
                    }
                });
    }

    /** The second of two parts. */
    @FuzzTest(maxDuration = "24h")
    void ggufSplit(byte[] bytes) {
        Hostile.read(
                folder.resolve("m-00002-of-00002.gguf"),
                bytes,
                path -> {
                    try (GgufFile file = GgufFile.open(path)) {
                        GgufListing.of(file).elements();
                        file.tensors().keySet().forEach(file::tensor);
                    }
                });
    }

    /** Codes and scales beside each other: every matrix, multiplied out. */
    @FuzzTest(maxDuration = "24h")
    void scaled(byte[] bytes) {
        Hostile.read(
                folder.resolve("scaled/model.safetensors"),
                bytes,
                path -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("scaled"))) {
                        checkpoint.bytesByType();
                        checkpoint.leftOut();
                        refusable(checkpoint::requireNumbers);
                        for (String tensor : checkpoint.tensors().keySet()) {
                            refusable(() -> checkpoint.tensor(tensor));
                        }
                    }
                });
    }

    /** The container: every tensor, listed and dequantized. */
    @FuzzTest(maxDuration = "24h")
    void gguf(byte[] bytes) {
        Hostile.read(
                folder.resolve("model.gguf"),
                bytes,
                path -> {
                    try (GgufFile file = GgufFile.open(path)) {
                        GgufListing.of(file).elements();
                        for (String tensor : file.tensors().keySet()) {
                            refusable(() -> file.tensor(tensor));
                        }
                    }
                });
    }

    /** The model in the container: names, configuration, weights, tokenizer. */
    @FuzzTest(maxDuration = "24h")
    void ggufModel(byte[] bytes) {
        Hostile.read(
                folder.resolve("model.gguf"),
                bytes,
                path -> {
                    try (Checkpoint checkpoint = GgufModel.open(path)) {
                        checkpoint.tensors().keySet().forEach(checkpoint::tensor);
                        checkpoint.sideFile("tokenizer.json");
                        if (checkpoint.hasTokenizer()) {
                            speak(checkpoint.tokenizer());
                        }
                        DecoderConfig.of(checkpoint.config());
                    }
                });
    }

    /** Old and new files: the reader looks at the first bytes. */
    @FuzzTest(maxDuration = "24h")
    void imatrix(byte[] bytes) {
        Hostile.read(
                folder.resolve("model.imatrix"),
                bytes,
                path -> {
                    Imatrix imatrix = Imatrix.open(path);
                    for (String name : imatrix.names()) {
                        refusable(() -> imatrix.input(name, null, -1, 2));
                        refusable(() -> imatrix.input(name, null, 1, 2));
                    }
                });
    }

    /** A text in any layout and encoding: its documents, ids or chats. */
    @FuzzTest(maxDuration = "24h")
    void text(byte[] bytes) {
        Hostile.read(
                folder.resolve("text"),
                bytes,
                path -> {
                    TextSource source = TextSource.read(path);
                    refusable(() -> source.sequences(LETTERS, LETTERS_VOCABULARY, 40));
                    source.sample(
                            LETTERS, LETTERS_VOCABULARY, new TextSource.Draw(2, true, 8, 64, 0));
                });
    }

    /** A chat template, run on a chat. */
    @FuzzTest(maxDuration = "24h")
    void chatTemplate(byte[] bytes) {
        Hostile.read(
                folder.resolve("chat_template.jinja"),
                bytes,
                _ ->
                        new ChatTemplate(
                                        new String(bytes, StandardCharsets.UTF_8),
                                        Map.of("bos_token", "<s>", "eos_token", "</s>"))
                                .render(CHAT));
    }

    @FuzzTest(maxDuration = "24h")
    void tokenizer(byte[] bytes) {
        Hostile.read(
                folder.resolve("tokenizer.json"),
                bytes,
                path -> {
                    try (Tokenizer tokenizer = Tokenizer.fromFile(path)) {
                        speak(tokenizer);
                    }
                });
    }

    @FuzzTest(maxDuration = "24h")
    void sentencePiece(byte[] bytes) {
        Hostile.read(
                folder.resolve("pieces/tokenizer.model"),
                bytes,
                path -> {
                    try (Tokenizer tokenizer = Tokenizer.fromFolder(folder.resolve("pieces"))) {
                        speak(tokenizer);
                    }
                });
    }

    /** Up to the first zero byte the vocabulary, behind it the merges. */
    @FuzzTest(maxDuration = "24h")
    void bytePairs(byte[] bytes) {
        int zero = 0;
        while (zero < bytes.length && bytes[zero] != 0) {
            zero++;
        }
        byte[] merges = Arrays.copyOfRange(bytes, Math.min(zero + 1, bytes.length), bytes.length);
        Path pairs = folder.resolve("pairs");
        Hostile.read(
                pairs.resolve("vocab.json"),
                Arrays.copyOf(bytes, zero),
                path ->
                        Hostile.read(
                                pairs.resolve("merges.txt"),
                                merges,
                                other -> {
                                    try (Tokenizer tokenizer = Tokenizer.fromFolder(pairs)) {
                                        speak(tokenizer);
                                    }
                                }));
    }

    @FuzzTest(maxDuration = "24h")
    void config(byte[] bytes) {
        Hostile.read(
                folder.resolve("config.json"),
                bytes,
                path -> DecoderConfig.of(Json.readObject(path)));
    }

    @FuzzTest(maxDuration = "24h")
    void recipe(byte[] bytes) {
        Hostile.read(folder.resolve("recipe.yaml"), bytes, path -> RECIPES.recipe(path.toString()));
    }

    /** With the network that it describes. */
    @FuzzTest(maxDuration = "24h")
    void family(byte[] bytes) {
        Path described = folder.resolve("described");
        Hostile.read(
                described.resolve(Families.BESIDE),
                bytes,
                path -> {
                    try (Checkpoint checkpoint = Checkpoint.open(described);
                            Decoder decoder = Decoder.open(checkpoint)) {
                        decoder.linears();
                    }
                });
    }

    /** Encodes and decodes: what a file promises shows only in use. */
    private static void speak(Tokenizer tokenizer) {
        long[] ids = tokenizer.encode("Ein <s> caf\u00e9, \ud83d\ude00\n", true);
        tokenizer.decode(ids);
        if (tokenizer.vocabularySize() < 0) {
            throw new AssertionError("vocabulary of " + tokenizer.vocabularySize());
        }
        refusable(() -> tokenizer.decode(new long[] {0, 1, 2}));
    }

    /** One refusal does not keep the others from being tried. */
    private static void refusable(Runnable use) {
        try {
            use.run();
        } catch (UserError e) {
            Hostile.checkRefusal(e);
        }
    }
}
