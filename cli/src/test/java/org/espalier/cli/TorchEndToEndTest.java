package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/** Every command on {@code pytorch_model.bin}, beside the same model as safetensors. */
class TorchEndToEndTest {
    private static final String HEAD = "lm_head.weight";
    private static final String EMBEDDING = "model.embed_tokens.weight";

    @TempDir Path folder;
    private Path plain;
    private Path text;

    @BeforeEach
    void makeModel() throws IOException {
        plain = TinyCheckpoint.write(folder.resolve("plain"), 7);
        text = TinyCheckpoint.ids(folder.resolve("text.jsonl"), 12, 8);
    }

    private Path torch(boolean sharded, boolean transposed) throws IOException {
        Path bin = folder.resolve("bin");
        try (Checkpoint source = Checkpoint.open(plain)) {
            TorchFolder torch = new TorchFolder(source, bin, transposed);
            return sharded ? torch.sharded(3) : torch.single();
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "true, false", "false, true"})
    void everyCommandDoesWithItWhatItDoesWithSafetensors(boolean sharded, boolean transposed)
            throws IOException {
        Path bin = torch(sharded, transposed);
        Runs.Outcome inspected = run("inspect", bin);
        assertThat(inspected.out().lines().skip(1))
                .containsExactlyElementsOf(run("inspect", plain).out().lines().skip(1).toList());
        assertThat(inspected.err())
                .contains("the weights are read from pytorch_model")
                .contains("; what is written of them is safetensors");
        String[] measure = {"--text", text.toString(), "--json"};
        assertThat(perplexity(run("evaluate", bin, measure[0], measure[1], measure[2])))
                .isEqualTo(perplexity(run("evaluate", plain, measure[0], measure[1], measure[2])));
        assertSameTensors(prune(plain, "a"), prune(bin, "b"));
        assertThat(run("verify", folder.resolve("b"), "--source", bin).out()).contains("50.00 %");
        run("export", plain, "--to", "safetensors", "--out", folder.resolve("c"));
        run("export", bin, "--to", "safetensors", "--out", folder.resolve("d"));
        assertSameTensors(folder.resolve("c"), folder.resolve("d"));
        if (!sharded) {
            run(
                    "export",
                    bin,
                    "--to",
                    "safetensors",
                    "--type",
                    "f16",
                    "--out",
                    folder.resolve("e"));
            run("evaluate", folder.resolve("e"), "--text", text);
        }
    }

    @Test
    void whatIsWrittenIsSafetensorsInTheSameShards() throws IOException {
        Path pruned = prune(torch(true, false), "b");
        try (Checkpoint checkpoint = Checkpoint.open(pruned)) {
            assertThat(checkpoint.shards().keySet())
                    .containsExactly(
                            "model-00001-of-00003.safetensors",
                            "model-00002-of-00003.safetensors",
                            "model-00003-of-00003.safetensors");
            assertThat(checkpoint.notes()).isEmpty();
            assertThat(checkpoint.leftOut()).containsExactly("espalier.json", "report.html");
        }
        assertThat(FileEntry.names(pruned)).noneMatch(name -> name.contains(".bin"));
        assertThat(Files.readString(pruned.resolve("espalier.json")))
                .contains("the weights are read from pytorch_model-00001-of-00003.bin and 2 more");
    }

    @Test
    void aTiedHeadIsStoredOnce() throws IOException {
        Path bin = folder.resolve("bin");
        try (Checkpoint source = Checkpoint.open(plain)) {
            new TorchFolder(source, bin, false).twin(HEAD, EMBEDDING).single();
        }
        Path untied = prune(bin, "untied");
        Path config = bin.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\": false", "\": true"));
        Path tied = prune(bin, "tied");
        try (Checkpoint one = Checkpoint.open(tied);
                Checkpoint two = Checkpoint.open(untied)) {
            assertThat(one.contains(HEAD)).isFalse();
            assertThat(two.contains(HEAD)).isTrue();
            assertThat(one.parameters())
                    .isEqualTo(two.parameters() - two.shape(HEAD)[0] * two.shape(HEAD)[1]);
        }
        assertThat(run("verify", tied, "--source", bin).err()).doesNotContain("lacks");
        assertThat(run("inspect", bin).err())
                .contains("stored once, under the name that the network reads: " + HEAD);
        run("evaluate", tied, "--text", text);
    }

    @Test
    void safetensorsGoFirstAndThePickleIsNamedAsNotRead() throws IOException {
        Path bin = torch(false, false);
        Files.move(bin.resolve("pytorch_model.bin"), plain.resolve("pytorch_model.bin"));
        Runs.Outcome outcome = run("inspect", plain);
        assertThat(outcome.err()).contains("weight files that are not read: pytorch_model.bin");
        prune(plain, "a");
        assertThat(folder.resolve("a/pytorch_model.bin")).doesNotExist();
    }

    @Test
    void whatAStrangerPutsIntoThePickleIsNotCarriedOut() throws IOException {
        Path bin = torch(false, false);
        byte[] hostile = "cos\nsystem\n(Vtouch harm\ntR.".getBytes(StandardCharsets.US_ASCII);
        Path weights = bin.resolve("pytorch_model.bin");
        try (var zip = new java.util.zip.ZipOutputStream(Files.newOutputStream(weights))) {
            zip.setMethod(java.util.zip.ZipOutputStream.STORED);
            var entry = new java.util.zip.ZipEntry("model/data.pkl");
            var sum = new java.util.zip.CRC32();
            sum.update(hostile);
            entry.setSize(hostile.length);
            entry.setCrc(sum.getValue());
            zip.putNextEntry(entry);
            zip.write(hostile);
        }
        Path out = folder.resolve("out");
        for (Object[] command :
                new Object[][] {
                    {"inspect", bin},
                    {"evaluate", bin, "--text", text},
                    {"prune", bin, "--recipe", "magnitude", "--out", out},
                    {"export", bin, "--to", "safetensors", "--out", out}
                }) {
            Runs.Outcome outcome = Runs.run(command);
            assertThat(outcome.code()).isEqualTo(2);
            assertThat(outcome.err().lines().toList())
                    .singleElement()
                    .asString()
                    .contains("pytorch_model.bin wants to call os.system, ");
        }
        assertThat(out).doesNotExist();
    }

    @Test
    void aPointerOfGitLfsIsNamed() throws IOException {
        Path bin = torch(false, false);
        Files.writeString(
                bin.resolve("pytorch_model.bin"),
                "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 17\n");
        Runs.Outcome outcome = Runs.run("inspect", bin);
        assertThat(outcome.code()).isEqualTo(2);
        assertThat(outcome.err()).contains("git-lfs pointer");
    }

    private Path prune(Path model, String name) {
        Path out = folder.resolve(name);
        run("prune", model, "--recipe", "wanda", "--calibration", text, "--out", out);
        return out;
    }

    private static Runs.Outcome run(Object... words) {
        Runs.Outcome outcome = Runs.run(words);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return outcome;
    }

    private static String perplexity(Runs.Outcome outcome) {
        return JsonMapper.shared().readTree(outcome.out()).path("perplexity").toString();
    }

    private static void assertSameTensors(Path one, Path other) {
        try (Checkpoint before = Checkpoint.open(one);
                Checkpoint after = Checkpoint.open(other)) {
            assertThat(new TreeMap<>(after.tensors()).keySet())
                    .isEqualTo(new TreeMap<>(before.tensors()).keySet());
            for (String name : before.tensors().keySet()) {
                assertThat(
                                Tensors.segment(after.tensor(name))
                                        .mismatch(Tensors.segment(before.tensor(name))))
                        .as(name)
                        .isEqualTo(-1);
            }
        }
    }
}
