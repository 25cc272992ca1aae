package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.audit.receipt.Checksum;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.report.Report;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code verify} finds, what it lets pass, and what it says that it did not look at. */
class VerifyTest {
    @TempDir Path folder;
    private TinyRun run;
    private Path out;

    @BeforeEach
    void prune() throws IOException {
        run = TinyRun.in(folder);
        out = folder.resolve("out");
    }

    @ParameterizedTest
    @CsvSource({
        "owl-wanda, 2:4",
        "dlp-wanda, 2:4",
        "magnitude-global, 2:4",
        "owl-sparsegpt, 4:8",
        "dlp-sparsegpt, 2:4"
    })
    void anNOfItsOwnIsSaidAndVerified(String recipe, String pattern) {
        Runs.Outcome refused = run.run(out, recipe, "--pattern", pattern);
        assertThat(refused.code()).isEqualTo(Main.USER_ERROR);
        assertThat(refused.err()).contains("no kernel for " + pattern + " runs").hasLineCount(1);
        assertThat(out).doesNotExist();
        Runs.Outcome pruned = run.run(out, recipe, "--pattern", pattern, "--mixed");
        assertThat(pruned.code()).as(pruned.err()).isZero();
        assertThat(pruned.out())
                .contains("mixed about " + pattern + ", which no N:M kernel runs: block");
        verified("--source", run.model(), "--text", run.text());
    }

    /** A group that keeps more than the N of its own matrix, though no more than the M. */
    @Test
    void theNOfEachMatrixIsWhatCounts() throws IOException {
        assertThat(run.run(out, "magnitude", "--pattern", "2:4").code()).isZero();
        Path receipt = out.resolve("espalier.json");
        String text = Files.readString(receipt);
        int at = text.indexOf("\"pattern\" : \"2:4\"", text.indexOf("\"layers\" : ["));
        forge(text.substring(0, at) + "\"pattern\" : \"1:4\"" + text.substring(at + 17));
        refused("keep more than 1 of 4");
    }

    /** With the digest and the report that fit it, so that nothing but the claim is wrong. */
    private void forge(String text) throws IOException {
        String blank = text.replaceAll("[0-9a-f]{64}(?=\"\\s*}\\s*$)", "0".repeat(64));
        String digest = Checksum.of(blank.getBytes(StandardCharsets.UTF_8));
        int last = blank.lastIndexOf("0".repeat(64));
        String forged = blank.substring(0, last) + digest + blank.substring(last + 64);
        Files.writeString(out.resolve("espalier.json"), forged);
        Files.writeString(out.resolve("report.html"), Report.html(ReceiptFile.parse(forged)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"float16", "bfloat16", "float32", "auto"})
    void survivorsAndTheRestAreComparedInEveryDtype(String dtype) throws IOException {
        assertThat(run.run(out, "wanda", "--dtype", dtype).code()).isZero();
        String said = verified("--source", run.model());
        assertThat(said)
                .contains("other tensors are those of the dense model")
                .contains("so are the surviving weights of " + 7 * TinyCheckpoint.BLOCKS)
                .contains("not checked  perplexities");
        assertThat(said.contains("rounded to " + dtype)).isEqualTo(!dtype.equals("auto"));
        // Another dense model of the same shapes: only its files tell, or its weights.
        Path other = TinyCheckpoint.write(folder.resolve("other"), 4);
        Runs.Outcome outcome = Runs.run("verify", out, "--source", other);
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err())
                .contains("surviving weights differ from the dense model's")
                .contains("embed_tokens.weight differs from the dense model's");
    }

    @Test
    void whatARecipeChangesIsNamedAsUnchecked() {
        assertThat(run.run(out, "sparsegpt").code()).isZero();
        assertThat(verified("--source", run.model()))
                .contains("not checked  the surviving weights: sparsegpt gives them values")
                .doesNotContain("so are the surviving weights");
        assertThat(verified())
                .contains("give it with --source")
                .contains("give text.jsonl with --text, and the dense model with --source")
                .contains("not checked  the errors of the matrices and blocks");
    }

    @ParameterizedTest
    @ValueSource(strings = {"before", "after", "divergence"})
    void everyFigureOfTheTextIsDerived(String figure) throws IOException {
        assertThat(run.run(out, "wanda").code()).isZero();
        assertThat(verified("--text", run.text()))
                .contains("checked      the perplexity after")
                .contains("not checked  the perplexity before, the divergence");
        assertThat(verified("--text", run.text(), "--source", run.model()))
                .contains("checked      the perplexities before and after and the divergence");
        String text = Files.readString(out.resolve("espalier.json"));
        String key = figure.equals("divergence") ? "\"mean\" : " : "\"value\" : ";
        int at = text.indexOf(key, text.indexOf("\"" + figure + "\" : {")) + key.length();
        forge(text.substring(0, at) + "1" + text.substring(at));
        Runs.Outcome outcome =
                Runs.run("verify", out, "--text", run.text(), "--source", run.model());
        assertThat(outcome.code()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).contains("but the receipt says 1");
    }

    @Test
    void whatHubsAndCopyToolsLeaveIsListedAndDoesNotFail() throws IOException {
        assertThat(run.run(out, "magnitude").code()).isZero();
        List<String> left =
                List.of(
                        ".gitattributes",
                        ".cache/huggingface/download/model.safetensors.metadata",
                        ".cache/huggingface/download/model.safetensors.lock",
                        ".cache/huggingface/.gitignore",
                        ".git/objects/aa/bb",
                        ".DS_Store",
                        "._model.safetensors",
                        "Thumbs.db",
                        "desktop.ini",
                        ".nfs000000000123",
                        "lost+found/#123",
                        "__pycache__/x.pyc",
                        "__MACOSX/._config.json",
                        "README.md",
                        "NOTICE",
                        "model.safetensors:Zone.Identifier",
                        "config.json~",
                        "model.safetensors.sha256");
        for (String name : left) {
            Path file = out.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "x");
        }
        Files.setLastModifiedTime(out.resolve("config.json"), FileTime.fromMillis(0));
        assertThat(weights().toFile().setReadOnly()).isTrue();
        assertThat(verified("--source", run.model())).contains("added since").contains("more");
        String json = Runs.run("verify", out, "--json").out();
        left.forEach(name -> assertThat(json).contains(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model-00009-of-00009.safetensors",
                "pytorch_model.bin",
                "model.gguf",
                "sub/model.safetensors",
                "generation_config.json",
                "modeling_tiny.py",
                "chat_template.jinja",
                "merges.txt",
                "added.txt"
            })
    void whatARuntimeCouldReadIsNoLeftover(String name) throws IOException {
        assertThat(run.run(out, "magnitude").code()).isZero();
        Path file = out.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "x");
        refused(name + " was added");
    }

    @Test
    void linksIntoAHubCacheAreTheirTargets() throws IOException {
        assertThat(run.run(out, "magnitude").code()).isZero();
        Path cache = folder.resolve("models--me--tiny");
        Path blobs = Files.createDirectories(cache.resolve("blobs"));
        Path snapshot = Files.createDirectories(cache.resolve("snapshots/0123"));
        int number = 0;
        try (Stream<Path> files = Files.list(out)) {
            for (Path file : files.sorted().toList()) {
                Path blob = Files.copy(file, blobs.resolve("blob" + number++));
                Files.createSymbolicLink(
                        snapshot.resolve(file.getFileName()),
                        Path.of("../../blobs").resolve(blob.getFileName()));
            }
        }
        Path link = Files.createSymbolicLink(folder.resolve("link"), snapshot);
        out = snapshot;
        verified("--source", run.model());
        out = link;
        verified("--source", run.model());
        Files.delete(blobs.resolve("blob0"));
        refused("is missing: it is a link that leads nowhere");
    }

    @Test
    void changesByGitAreCalledByTheirName() throws IOException {
        assertThat(run.run(out, "magnitude").code()).isZero();
        Path config = out.resolve("config.json");
        byte[] good = Files.readAllBytes(config);
        Files.writeString(config, Files.readString(config).replace("\n", "\r\n"));
        refused("config.json was changed: its line ends are now CRLF and were LF");
        Files.write(config, good);
        Path receipt = out.resolve("espalier.json");
        Path aside = Files.copy(receipt, folder.resolve("aside"));
        Files.writeString(receipt, Files.readString(receipt).replace("\n", "\r\n"));
        refused("espalier.json was changed: its line ends are now CRLF");
        Files.copy(aside, receipt, StandardCopyOption.REPLACE_EXISTING);
        Path weights = weights();
        Files.copy(weights, aside, StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(
                weights, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        refused("it is a git-lfs pointer");
        Files.copy(aside, weights, StandardCopyOption.REPLACE_EXISTING);
        verified();
    }

    @Test
    void pruningZerosAgainSaysWhatIsZeroInAll() {
        assertThat(run.run(out, "magnitude", "--pattern", "2:4").code()).isZero();
        Path again = folder.resolve("again");
        Runs.Outcome outcome =
                Runs.run(
                        "prune", out, "--recipe", "magnitude", "--sparsity", "0.3", "--out", again);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .contains("counting those that were zero already")
                .contains("(50.00 %) now")
                .contains("(50.00 %) before");
        Path first = out;
        out = again;
        verified("--source", first);
    }

    private Path weights() throws IOException {
        try (Stream<Path> files = Files.list(out)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    private String verified(Object... options) {
        Runs.Outcome outcome = Runs.run(command(options));
        assertThat(outcome.code()).as(outcome.err()).isZero();
        assertThat(outcome.out().stripTrailing().lines().toList().getLast())
                .contains("is as its receipt says");
        return outcome.out();
    }

    private void refused(String reason) {
        Runs.Outcome outcome = Runs.run(command());
        assertThat(outcome.code()).as(outcome.out()).isEqualTo(Main.USER_ERROR);
        assertThat(outcome.err()).contains(reason);
    }

    private Object[] command(Object... options) {
        return Stream.concat(Stream.of("verify", out), Stream.of(options)).toArray();
    }
}
