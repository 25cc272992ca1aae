package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies on people's disks under the name of a model: read, or named with the one thing to do. */
class FoldersAsFoundTest {
    private static final String POINTER =
            """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 1044984
            """;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config.json",
                "model.safetensors.index.json",
                "model-00002-of-00003.safetensors"
            })
    void whatWasNeverFetchedIsNamed(String file) {
        Folders.sharded(folder);
        Bytes.write(folder, file, POINTER);
        refused(folder, file, "git-lfs pointer", "1044984 bytes", "git lfs pull");
        Bytes.write(folder, file, "<!DOCTYPE html>\n<html><title>404</title></html>");
        refused(folder, file, "web page");
        Bytes.write(
                folder, file, "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>");
        refused(folder, file, "server's message");
        Bytes.write(folder, file, "");
        refused(folder, file, "is empty (0 bytes)");
    }

    @Test
    void whatIsNoWeightsIsNamed() {
        Folders.sharded(folder);
        String file = Folders.SHARDS.getFirst();
        Bytes.write(folder, file, "Entry not found");
        refused(folder, file, "a text that begins with 'Entry not found'");
        Bytes.write(folder, file, "PK\u0003\u0004 and so on");
        refused(folder, file, "zip archive");
        Bytes.write(folder, file, "GGUF\u0003\u0000\u0000\u0000");
        refused(folder, file, "GGUF file");
    }

    @Test
    void shardsWithoutAnIndexAreReadByTheirNames() throws IOException {
        Folders.sharded(folder);
        Files.delete(folder.resolve(Shards.INDEX));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).hasSize(4);
            assertThat(checkpoint.notes()).singleElement().asString().contains("by their names");
            Path out = folder.resolveSibling(folder.getFileName() + "-out");
            try (CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null)) {
                writer.commit();
            }
            assertThat(
                            Json.readObject(out.resolve(Shards.INDEX))
                                    .at("/metadata/total_size")
                                    .asLong())
                    .isEqualTo(Folders.BYTES);
            try (Checkpoint copy = Checkpoint.open(out)) {
                assertThat(copy.notes()).isEmpty();
                assertThat(copy.tensors()).isEqualTo(checkpoint.tensors());
            }
            DurableFiles.removeAll(out);
        }
        Files.delete(folder.resolve(Folders.SHARDS.get(1)));
        refused(folder, "2 of 3 shards", "download what is missing: " + Folders.SHARDS.get(1));
    }

    @Test
    void anIndexThatNamesTooMuchIsWrittenRight() throws IOException {
        Folders.sharded(folder);
        String odd =
                Folders.INDEX.replace(
                        "\"layer.2.ids\":",
                        "\"lm_head.weight\": \"model-00001-of-00003.safetensors\", \"layer.2.ids\":");
        Bytes.write(folder, Shards.INDEX, odd);
        Path out = folder.resolveSibling(folder.getFileName() + "-out");
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null)) {
            writer.commit();
        }
        assertThat(
                        Json.readObject(out.resolve(Shards.INDEX))
                                .path("weight_map")
                                .has("lm_head.weight"))
                .isFalse();
        DurableFiles.removeAll(out);
    }

    @Test
    void aLinkIntoNowhereIsNamed() throws IOException {
        Folders.sharded(folder);
        for (String file : new String[] {Folders.SHARDS.getFirst(), "config.json"}) {
            Path moved = Files.move(folder.resolve(file), folder.resolve("moved"));
            Files.createSymbolicLink(folder.resolve(file), Path.of("../../blobs/gone"));
            refused(folder, file, "a link to ../../blobs/gone, which is not there");
            Files.delete(folder.resolve(file));
            Files.move(moved, folder.resolve(file));
        }
        Path alone = Files.createDirectory(folder.resolve("alone"));
        Bytes.write(alone, "config.json", "{}");
        Files.createSymbolicLink(alone.resolve("model.safetensors"), Path.of("gone"));
        refused(alone, "a link to gone, which is not there");
        Files.createSymbolicLink(folder.resolve("model"), Path.of("nowhere"));
        refused(folder.resolve("model"), "a link to nowhere");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "adapter_config.json adapter_model.safetensors|an adapter",
                "model_index.json|diffusers pipeline",
                "params.json consolidated.00.pth|authors' own layout",
                "m-Q4_0.gguf|give the file itself, m-Q4_0.gguf",
                "m-Q4_0.gguf m-Q8_0.gguf|give one of them, not the folder: m-Q4_0.gguf, m-Q8_0.gguf",
                "model.safetensors.incomplete|download that is not finished",
                "model.safetensors|put the model's config.json there",
                "model.onnx|only an ONNX graph (model.onnx)",
                "flax_model.msgpack|only Flax weights",
                "weights.npz|only NumPy arrays",
                "last.ckpt|only a training checkpoint",
                "sub/config.json other/config.json|give one of them: other, sub"
            })
    void aFolderWithoutConfigSaysWhatItIs(String line) throws IOException {
        create(line.split("\\|")[0]);
        refused(folder, line.split("\\|")[1]);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "consolidated.safetensors params.json|authors' own code",
                "adapter_config.json adapter_model.bin|an adapter",
                "model.fp16.safetensors|if that is the whole model, name it model.safetensors",
                "a.safetensors b.safetensors|if these are shards, get their",
                "model-00001-of-00002.safetensors.aria2|not finished",
                "tf_model.h5|only TensorFlow weights",
                "model.gguf|give the file itself"
            })
    void aFolderWithoutWeightsSaysWhatItHas(String line) throws IOException {
        create("config.json " + line.split("\\|")[0]);
        Bytes.write(folder, "config.json", "{}");
        refused(folder, line.split("\\|")[1]);
    }

    @Test
    void aFileOfTheModelLeadsToItsFolder() {
        Folders.sharded(folder);
        for (String file : new String[] {"config.json", Folders.SHARDS.getFirst(), Shards.INDEX}) {
            refused(folder.resolve(file), "one file of a model", "give its folder " + folder);
        }
    }

    @Test
    void theRootOfTheHubsCacheIsTheSnapshotOfMain() throws IOException {
        Path root = folder.resolve("models--org--name");
        Path blobs = Files.createDirectories(root.resolve("blobs"));
        Path first = snapshot(root, "0123abc");
        for (String shard : Folders.SHARDS) {
            Files.move(first.resolve(shard), blobs.resolve("blob-" + shard));
            Files.createSymbolicLink(first.resolve(shard), Path.of("../../blobs/blob-" + shard));
        }
        opens(root, first);
        assertThat(HubCache.name(first)).isEqualTo("org/name");
        Path second = snapshot(root, "4567def");
        refused(root, "2 snapshots", "give one of them: 0123abc, 4567def");
        Files.createDirectories(root.resolve("refs"));
        Files.writeString(root.resolve("refs/main"), "4567def\n");
        opens(root, second);
        Files.writeString(root.resolve("refs/main"), "89ab");
        refused(root, "names the snapshot 89ab, which is not there");
        Files.writeString(root.resolve("refs/main"), "../../..");
        refused(root, "is no commit");
        refused(folder, "give one of them: models--org--name");
    }

    private static Path snapshot(Path root, String commit) throws IOException {
        Path snapshot = Files.createDirectories(root.resolve("snapshots").resolve(commit));
        Folders.sharded(snapshot);
        return snapshot;
    }

    private static void opens(Path root, Path snapshot) {
        try (Checkpoint checkpoint = Checkpoint.open(root)) {
            assertThat(checkpoint.folder()).isEqualTo(snapshot);
            assertThat(checkpoint.tensors()).hasSize(4);
        }
    }

    @Test
    void whatIsLeftOutIsListed() throws IOException {
        Folders.sharded(folder);
        create(
                "projector.safetensors pytorch_model.bin original/consolidated.00.pth 1_Pooling/config.json"
                        + " .git/HEAD .git/objects/aa model-00004-of-00004.safetensors espalier.json README.md");
        Files.createSymbolicLink(folder.resolve("linked"), Path.of("1_Pooling"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.leftOut())
                    .containsExactly(
                            ".git/",
                            "espalier.json",
                            "linked",
                            "model-00004-of-00004.safetensors",
                            "original/consolidated.00.pth",
                            "projector.safetensors",
                            "pytorch_model.bin");
            assertThat(checkpoint.otherWeights())
                    .doesNotContain(".git/", "espalier.json", "linked");
        }
    }

    private void create(String names) throws IOException {
        for (String name : names.split(" ")) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.write(file, "x".getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void refused(Path path, String... reasons) {
        assertThatThrownBy(() -> Checkpoint.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(reasons)
                .message()
                .hasLineCount(1);
    }
}
