package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointWriterTest {
    @TempDir Path folder;
    private Path source;
    private Path out;

    @BeforeEach
    void makeSource() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        out = folder.resolve("made/here/out");
        Folders.sharded(source);
        Bytes.write(source, "tokenizer_config.json", "{}");
        Bytes.write(source, "LICENSE", "free");
        Bytes.write(source, "espalier.json", "{\"old\": true}");
        Bytes.write(source, "report.html", "old");
        Bytes.write(source, "pytorch_model.bin", "old weights");
        Files.createDirectories(source.resolve("template/deep"));
        Bytes.write(source.resolve("template/deep"), "chat.jinja", "{{ x }}");
        Files.createDirectory(source.resolve(".git"));
        Bytes.write(source.resolve(".git"), "HEAD", "x");
    }

    @Test
    void aCheckpointThatNobodyChangedIsCopiedByteForByte() throws IOException {
        commitUnchanged(null);
        for (String name :
                List.of(
                        "config.json",
                        Shards.INDEX,
                        "tokenizer_config.json",
                        "LICENSE",
                        "template/deep/chat.jinja")) {
            assertThat(out.resolve(name)).hasSameBinaryContentAs(source.resolve(name));
        }
        try (Checkpoint before = Checkpoint.open(source);
                Checkpoint after = Checkpoint.open(out)) {
            assertThat(after.shards().keySet()).isEqualTo(before.shards().keySet());
            assertThat(after.files().keySet())
                    .containsExactlyInAnyOrder(
                            "config.json",
                            Shards.INDEX,
                            "tokenizer_config.json",
                            "LICENSE",
                            Folders.SHARDS.get(0),
                            Folders.SHARDS.get(1),
                            Folders.SHARDS.get(2));
            assertThat(after.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(before.tensors().keySet());
            for (String name : before.tensors().keySet()) {
                assertThat(
                                after.owner(name)
                                        .segment(name)
                                        .mismatch(before.owner(name).segment(name)))
                        .as(name)
                        .isEqualTo(-1);
            }
        }
        assertThat(out.resolve(".git")).doesNotExist();
        assertThat(out.resolveSibling(".out.partial")).doesNotExist();
    }

    @Test
    void writtenTensorsChangeAndNewOnesJoinTheShardOfTheirLayer() {
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            writer.declare("layer.1.proj.bias", DType.F32, 3);
            writer.write(
                    "layer.1.proj.weight", Tensors.floats(new float[] {9, 8, 7, 6, 5, 4}, 3, 2));
            writer.write("layer.1.proj.bias", Tensors.floats(new float[] {1, 2, 3}, 3));
            writer.addFile("espalier.json", new byte[] {'{', '}'});
            writer.editConfig(config -> config.put("mlp_bias", true));
            assertThat(out).doesNotExist();
            writer.commit();
        }
        try (Checkpoint after = Checkpoint.open(out)) {
            assertThat(Tensors.toFloats(after.tensor("layer.1.proj.weight")))
                    .containsExactly(9, 8, 7, 6, 5, 4);
            assertThat(Tensors.toFloats(after.tensor("layer.1.proj.bias")))
                    .containsExactly(1, 2, 3);
            assertThat(after.owner("layer.1.proj.bias"))
                    .isSameAs(after.owner("layer.1.proj.weight"));
            assertThat(after.config().propertyNames())
                    .containsExactly("model_type", "torch_dtype", "epsilon", "mlp_bias");
            assertThat(after.files()).containsEntry("espalier.json", 2L);
            assertThat(
                            Json.readObject(out.resolve(Shards.INDEX))
                                    .at("/metadata/total_size")
                                    .asLong())
                    .isEqualTo(Folders.BYTES + 12);
        }
    }

    @Test
    void anotherDtypeConvertsTheFloatsAndKeepsTheIntegers() {
        commitUnchanged(DType.BF16);
        try (Checkpoint after = Checkpoint.open(out)) {
            assertThat(after.dtype("layer.0.proj.weight")).isEqualTo(DType.BF16);
            assertThat(after.dtype("layer.2.ids")).isEqualTo(DType.I64);
            assertThat(after.dominantDtype()).isEqualTo(DType.BF16);
            assertThat(after.config().path("torch_dtype").asString()).isEqualTo("bfloat16");
            assertThat(after.config().has("dtype")).isFalse();
            assertThat(Tensors.toFloats(after.tensor("layer.0.proj.weight")))
                    .containsExactly(1, 2, 3, 4, 5, 6);
        }
    }

    @Test
    void closingWithoutCommitLeavesNothing() {
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            writer.write("layer.1.proj.weight", Tensors.floats(new float[6], 3, 2));
            assertThat(out.resolveSibling(".out.partial")).isDirectory();
        }
        assertThat(out.getParent()).isEmptyDirectory();
    }

    @Test
    void aPartialFolderOfADeadRunIsReplacedAndOneOfALivingRunIsNot() throws IOException {
        Path partial = out.resolveSibling(".out.partial");
        Path files = Files.createDirectories(partial.resolve(OutputFolder.FILES));
        Bytes.write(files, "half.safetensors", "half");
        Bytes.write(partial, "note", "half");
        Bytes.write(partial, FolderLock.NAME, "");
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null)) {
            assertThat(files).isEmptyDirectory();
            assertThat(partial.resolve("note")).doesNotExist();
            assertThatThrownBy(() -> CheckpointWriter.create(checkpoint, out, null))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("another run");
            writer.commit();
        }
        assertThat(partial).doesNotExist();
        assertThat(out.resolve(FolderLock.NAME)).doesNotExist();
    }

    @Test
    void whatADeadRunHasLeftIsTakenUpWhereItIsWhole() throws IOException {
        String checksum;
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            writer.write(
                    "layer.1.proj.weight", Tensors.floats(new float[] {9, 8, 7, 6, 5, 4}, 3, 2));
            writer.write("layer.0.proj.weight", Tensors.floats(new float[6], 3, 2));
            checksum = writer.checksum("layer.1.proj.weight");
            writer.force();
            writer.keep();
            Files.writeString(writer.note("note"), "half");
        }
        Bytes.write(source, "LICENSE", "freer");
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.open(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            assertThat(writer.note("note")).hasContent("half");
            Bytes.write(writer.note("x").resolveSibling(OutputFolder.FILES), "stray", "");
            assertThat(writer.restore("layer.0.proj.weight", "00000000")).isFalse();
            assertThat(writer.restore("layer.1.proj.weight", checksum)).isTrue();
            assertThat(Tensors.toFloats(writer.stored("layer.1.proj.weight")))
                    .containsExactly(9, 8, 7, 6, 5, 4);
            writer.commit();
        }
        assertThat(out.resolveSibling(".out.partial")).doesNotExist();
        assertThat(out.resolve("stray")).doesNotExist();
        assertThat(out.resolve("LICENSE")).hasContent("freer");
        try (Checkpoint before = Checkpoint.open(source);
                Checkpoint after = Checkpoint.open(out)) {
            assertThat(Tensors.toFloats(after.tensor("layer.1.proj.weight")))
                    .containsExactly(9, 8, 7, 6, 5, 4);
            assertThat(Tensors.toFloats(after.tensor("layer.0.proj.weight")))
                    .isEqualTo(Tensors.toFloats(before.tensor("layer.0.proj.weight")));
        }
    }

    @Test
    void aShardOfAnotherPlanIsNotTakenUp() {
        String checksum;
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            writer.write("layer.1.proj.weight", Tensors.floats(new float[6], 3, 2));
            checksum = writer.checksum("layer.1.proj.weight");
            writer.keep();
        }
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.open(checkpoint, out, DType.BF16)) {
            assertThat(writer.restore("layer.1.proj.weight", checksum)).isFalse();
        }
    }

    @Test
    void aRunThatDiedAfterTheRenamingLeavesNothingForLong() throws IOException {
        Path partial = Files.createDirectories(out.resolveSibling(".out.partial"));
        Bytes.write(partial, FolderLock.NAME, "");
        Bytes.write(partial, "note", "");
        Files.createDirectories(out);
        Bytes.write(out, "config.json", "{}");
        refused(out, "not empty");
        assertThat(partial).doesNotExist();
    }

    @Test
    void anEmptyFolderIsFilledAndAnyOtherIsRefused() throws IOException {
        Files.createDirectories(out);
        commitUnchanged(null);
        assertThat(out.resolve("config.json")).isRegularFile();
        refused(out, "not empty");
        refused(source.resolve("LICENSE"), "lies within");
        refused(source, "source checkpoint");
        refused(source.resolve("below"), "lies within");
        refused(Files.createSymbolicLink(folder.resolve("link"), source), "source checkpoint");
        refused(folder.resolve("link/below"), "lies within");
        refused(Bytes.write(folder, "plain", ""), "not a folder");
        refused(folder.resolve("plain/below"), "cannot write");
    }

    @Test
    void anOverflowInACopiedTensorLeavesNothing() {
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, DType.F16);
                PointerScope scope = new PointerScope()) {
            float[] large = {1, 2, 3, 4, 5, 1e6f};
            assertThatThrownBy(
                            () -> writer.write("layer.0.proj.weight", Tensors.floats(large, 3, 2)))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("layer.0.proj.weight");
        }
        assertThat(out.getParent()).isEmptyDirectory();
    }

    @Test
    void misuseIsToldApartFromUserErrors() {
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, null);
                PointerScope scope = new PointerScope()) {
            assertThatThrownBy(() -> writer.declare("layer.2.ids", DType.F32, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.write("nobody", Tensors.floats(new float[1], 1)))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.addFile("../x", new byte[0]))
                    .isInstanceOf(IllegalArgumentException.class);
            writer.declare("extra", DType.F32, 1);
            assertThatThrownBy(writer::commit).isInstanceOf(IllegalStateException.class);
        }
        assertThat(out).doesNotExist();
    }

    private void commitUnchanged(@org.jspecify.annotations.Nullable DType dtype) {
        try (Checkpoint checkpoint = Checkpoint.open(source);
                CheckpointWriter writer = CheckpointWriter.create(checkpoint, out, dtype)) {
            writer.commit();
        }
    }

    private void refused(Path target, String reason) {
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertThatThrownBy(() -> CheckpointWriter.create(checkpoint, target, null))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining(reason);
        }
    }
}
