package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    @TempDir Path folder;

    @Test
    void readsThreeShards() {
        Folders.sharded(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.shards().keySet()).containsExactlyElementsOf(Folders.SHARDS);
            assertThat(checkpoint.tensors().keySet())
                    .containsExactly(
                            "layer.0.proj.weight",
                            "layer.1.norm.weight",
                            "layer.1.proj.weight",
                            "layer.2.ids");
            assertThat(checkpoint.shape("layer.1.proj.weight")).containsExactly(3, 2);
            assertThat(checkpoint.dtype("layer.2.ids")).isEqualTo(DType.I64);
            assertThat(checkpoint.dominantDtype()).isEqualTo(DType.F32);
            assertThat(Tensors.toFloats(checkpoint.tensor("layer.1.norm.weight")))
                    .containsExactly(7, 8, 9);
            assertThat(checkpoint.config().path("epsilon").asDouble()).isEqualTo(1e-5);
        }
    }

    @Test
    void tensorsOutliveTheCallersScopesAndDieWithTheCheckpoint() {
        Folders.sharded(folder);
        Tensor tensor;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            try (PointerScope scope = new PointerScope()) {
                tensor = checkpoint.tensor("layer.0.proj.weight");
                assertThat(checkpoint.tensor("layer.0.proj.weight")).isSameAs(tensor);
            }
            assertThat(Tensors.toFloats(tensor)).containsExactly(1, 2, 3, 4, 5, 6);
        }
        assertThat(tensor.isNull()).isTrue();
    }

    @Test
    void theConfigHandedOutIsACopy() {
        Folders.sharded(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            checkpoint.config().put("model_type", "changed");
            assertThat(checkpoint.config().path("model_type").asString()).isEqualTo("llama");
        }
    }

    @Test
    void aMissingTensorIsNamed() {
        Folders.sharded(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.contains("lm_head.weight")).isFalse();
            assertThatThrownBy(() -> checkpoint.tensor("lm_head.weight"))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("'lm_head.weight'");
            assertThatThrownBy(() -> checkpoint.shape("lm_head.weight"))
                    .isInstanceOf(UserError.class);
        }
    }

    @Test
    void aPathThatIsNoCheckpointSaysWhatIsExpected() throws IOException {
        refused(folder.resolve("none"), "does not exist", "config.json");
        refused(Bytes.write(folder, "file", ""), "is not a folder", "config.json");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        refused(empty, "no config.json");
        Bytes.write(empty, "config.json", "{}");
        refused(empty, "neither model.safetensors", "folder of a Hugging Face checkpoint");
        Bytes.write(empty, "tf_model.h5", "");
        refused(empty, "only TensorFlow weights (tf_model.h5)", "convert");
        Bytes.write(empty, "m-Q4_0.gguf", "");
        refused(empty, "give the file itself, m-Q4_0.gguf");
        Bytes.write(empty, "model.safetensors", Bytes.file("{}", 0));
        refused(empty, "no tensors");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "{\"a\":1,\"a\":2}", "{} {}", "null"})
    void aConfigThatIsNoObjectIsRefused(String config) {
        Folders.sharded(folder);
        Bytes.write(folder, "config.json", config);
        refused(folder, "config.json");
    }

    @Test
    void pythonsInfinityIsUnderstood() {
        Folders.sharded(folder);
        Bytes.write(folder, "config.json", "{\"limit\": [0.0, Infinity]}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.config().at("/limit/1").asDouble()).isInfinite();
            assertThat(new String(Json.pretty(checkpoint.config()), StandardCharsets.UTF_8))
                    .contains(" Infinity");
        }
    }

    @Test
    void aTruncatedShardIsRefusedByName() throws IOException {
        Folders.sharded(folder);
        Path shard = folder.resolve(Folders.SHARDS.get(1));
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, Arrays.copyOf(bytes, bytes.length - 1));
        refused(folder, Folders.SHARDS.get(1), "cut off");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model-00001-of-00003.safetensors",
                "/etc/passwd",
                "..",
                "",
                "sub/model.safetensors",
                "sub\\\\model.safetensors",
                "C:model.safetensors",
                "model\\u0000.safetensors",
                ".hidden.safetensors",
                "weights.bin"
            })
    void anIndexThatLeadsElsewhereIsRefused(String name) {
        Folders.sharded(folder);
        Bytes.write(
                folder,
                Shards.INDEX,
                Folders.INDEX.replace(
                        "\"layer.0.proj.weight\": \"model-00001-of-00003.safetensors\"",
                        "\"layer.0.proj.weight\": \"" + name + "\""));
        refused(folder, "not the plain name", "'layer.0.proj.weight'");
    }

    @Test
    void anIndexThatCannotBeFollowedIsRefused() {
        Folders.sharded(folder);
        index("model-00003-of-00003", "model-00004-of-00003");
        refused(folder, "'model-00004-of-00003.safetensors', which is not in the folder");
        Bytes.write(folder, Shards.INDEX, "{\"weight_map\": {}}");
        refused(folder, "names no tensor");
        Bytes.write(folder, Shards.INDEX, "{\"weight_map\": []}");
        refused(folder, "no object \"weight_map\"");
        Bytes.write(folder, Shards.INDEX, "{\"weight_map\": {\"a\": 5}}");
        refused(folder, "'a'", "not the plain name");
    }

    @Test
    void anIndexThatSaysTooMuchOrTooLittleIsOnlyNoted() {
        Folders.sharded(folder);
        index("\"layer.1.norm.weight\": \"model-00002", "\"layer.1.norm.weight\": \"model-00001");
        odd("'layer.1.norm.weight' is in another shard than");
        index("\"layer.1.norm.weight\":", "\"lm_head.weight\":");
        odd("'lm_head.weight' is named by", "'layer.1.norm.weight' is in the shards though");
        index("\"metadata\": {\"total_size\": 76},", "");
        odd();
        index("{\"total_size\": 76}", "null");
        odd();
    }

    private void odd(String... notes) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).hasSize(4);
            assertThat(Tensors.toFloats(checkpoint.tensor("layer.1.norm.weight")))
                    .containsExactly(7, 8, 9);
            assertThat(checkpoint.notes()).hasSize(notes.length);
            for (int i = 0; i < notes.length; i++) {
                assertThat(checkpoint.notes().get(i)).startsWith(notes[i]);
            }
        }
    }

    @Test
    void aTensorInTwoShardsMustBeTheSameInBoth() {
        Folders.sharded(folder);
        byte[] copy =
                Folders.floats(
                        "{\"layer.0.proj.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}",
                        1,
                        2,
                        3,
                        4,
                        5,
                        6);
        Bytes.write(folder, Folders.SHARDS.get(2), copy);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notes())
                    .anyMatch(note -> note.startsWith("'layer.0.proj.weight' is in two shards"));
            assertThat(Tensors.toFloats(checkpoint.tensor("layer.0.proj.weight")))
                    .containsExactly(1, 2, 3, 4, 5, 6);
        }
        copy[copy.length - 1] ^= 1;
        Bytes.write(folder, Folders.SHARDS.get(2), copy);
        refused(folder, "'layer.0.proj.weight' is in two shards", "different values");
    }

    @Test
    void shardsMayBeLinksAsInTheHubsCache() throws IOException {
        Path blobs = Files.createDirectory(folder.resolve("blobs"));
        Path snapshot = Files.createDirectory(folder.resolve("snapshot"));
        Folders.sharded(snapshot);
        Path shard = snapshot.resolve(Folders.SHARDS.get(0));
        Files.move(shard, blobs.resolve("4711"));
        Files.createSymbolicLink(shard, Path.of("../blobs/4711"));
        try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
            assertThat(checkpoint.contains("layer.0.proj.weight")).isTrue();
        }
    }

    @Test
    void aFolderWithoutTokenizerSaysWhatToDo() {
        Folders.sharded(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hasTokenizer()).isFalse();
            assertThatThrownBy(checkpoint::tokenizer)
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("no tokenizer.json")
                    .hasMessageContaining("token ids");
        }
    }

    private void index(String from, String to) {
        String changed = Folders.INDEX.replace(from, to);
        assertThat(changed).isNotEqualTo(Folders.INDEX);
        Bytes.write(folder, Shards.INDEX, changed);
    }

    private static void refused(Path path, String... reasons) {
        assertThatThrownBy(() -> Checkpoint.open(path).close())
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll(reasons)
                .message()
                .hasLineCount(1);
    }
}
