package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.checkpoint.Checkpoint;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Every command on a folder whose pruned matrices are stored as bitmask and values, beside the folder it was made of. */
class BitmaskEndToEndTest {
    @TempDir static Path folder = Path.of("");

    private static Path pruned = Path.of("");
    private static Path packed = Path.of("");

    @BeforeAll
    static void prunesAndPacks() {
        pruned = folder.resolve("pruned");
        packed = folder.resolve("packed");
        Path dense = Runs.root().resolve("models/hedgerow-3m");
        done("prune", dense, "--recipe", "magnitude", "--windows", 1, "--out", pruned);
        done("export", pruned, "--to", "safetensors", "--type", "bitmask", "--out", packed);
    }

    @Test
    void whatOnlyReadsGivesTheSame() throws IOException {
        JsonNode plain = json("inspect", pruned, "--json");
        JsonNode small = json("inspect", packed, "--json");
        assertThat(small.get("prunable")).isNotNull().isEqualTo(plain.get("prunable"));
        Path text = Runs.root().resolve("models/hedgerow-3m/held-out.txt");
        for (Path model : new Path[] {pruned, packed}) {
            done("export", model, "--to", "gguf", "--type", "q8_0", "--out", gguf(model));
        }
        assertThat(tensors(gguf(packed))).isEqualTo(tensors(gguf(pruned)));
        Object[][] commands = {
            {"generate", "--prompt", "Once", "--max-tokens", 8},
            {"evaluate", "--text", text, "--windows", 1}
        };
        for (Object[] command : commands) {
            assertThat(result(command, packed))
                    .as("%s", command[0])
                    .isEqualTo(result(command, pruned));
        }
    }

    @Test
    void pruningItIsPruningWhatItStores() throws IOException {
        Path tiny = TinyCheckpoint.write(folder.resolve("tiny"), 7);
        Path plain = folder.resolve("tiny-pruned");
        Path small = folder.resolve("tiny-packed");
        done("prune", tiny, "--recipe", "magnitude", "--out", plain);
        done("export", plain, "--to", "safetensors", "--type", "bitmask", "--out", small);
        Path fromPlain = folder.resolve("from-plain");
        Path fromPacked = folder.resolve("from-packed");
        for (Path[] pair : new Path[][] {{plain, fromPlain}, {small, fromPacked}}) {
            done("prune", pair[0], "--recipe", "magnitude", "--pattern", "2:4", "--out", pair[1]);
            done("verify", pair[1], "--source", pair[0]);
        }
        // The shards are those of the source, of which the packed one has a single file.
        try (Checkpoint one = Checkpoint.open(fromPlain);
                Checkpoint other = Checkpoint.open(fromPacked);
                PointerScope scope = new PointerScope()) {
            assertThat(other.tensors().keySet()).isEqualTo(one.tensors().keySet());
            for (String name : one.tensors().keySet()) {
                assertThat(one.tensor(name).equal(other.tensor(name))).as(name).isTrue();
            }
        }
    }

    /** The receipt speaks of the files of the pruned folder, not of these. */
    @Test
    void verifyAsksForTheFolderThatPruneWrote() throws IOException {
        Runs.Outcome outcome = Runs.run("verify", packed);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err())
                .hasLineCount(1)
                .contains("has no espalier.json, so it is not a folder that prune wrote");
        Path expanded = folder.resolve("expanded");
        done("export", packed, "--to", "safetensors", "--out", expanded);
        Files.copy(pruned.resolve("espalier.json"), expanded.resolve("espalier.json"));
        Files.copy(pruned.resolve("report.html"), expanded.resolve("report.html"));
        done("verify", expanded);
    }

    private static Path gguf(Path model) {
        return folder.resolve(model.getFileName() + ".gguf");
    }

    /** The file without its name for itself, which is the folder's. */
    private static String tensors(Path gguf) throws IOException {
        byte[] bytes = Files.readAllBytes(gguf);
        return new String(bytes, StandardCharsets.ISO_8859_1).substring(bytes.length - 2_000_000);
    }

    private static JsonNode result(Object[] command, Path model) {
        Object[] arguments = new Object[command.length + 2];
        arguments[0] = command[0];
        arguments[1] = model;
        System.arraycopy(command, 1, arguments, 2, command.length - 1);
        arguments[arguments.length - 1] = "--json";
        return ((ObjectNode) json(arguments)).without("model");
    }

    private static JsonNode json(Object... arguments) {
        return JsonMapper.shared().readTree(done(arguments));
    }

    private static String done(Object... arguments) {
        Runs.Outcome outcome = Runs.run(arguments);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome.out();
    }
}
