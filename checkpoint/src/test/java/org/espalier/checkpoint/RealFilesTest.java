package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RealFilesTest {
    @Test
    void opensStories260k() {
        try (Checkpoint checkpoint = Checkpoint.open(RealData.path("lm-stories260k"))) {
            assertThat(checkpoint.config().path("model_type").asString()).isEqualTo("llama");
            assertThat(checkpoint.shape("model.layers.4.mlp.down_proj.weight"))
                    .containsExactly(64, 172);
            assertThat(checkpoint.dominantDtype()).isEqualTo(DType.F32);
            assertThat(checkpoint.contains("lm_head.weight")).isFalse();
            assertThat(checkpoint.files()).containsEntry("model.safetensors", 1044984L);
            Tensor tensor;
            try (PointerScope scope = new PointerScope()) {
                tensor = checkpoint.tensor("model.embed_tokens.weight");
            }
            assertThat(tensor.isNull()).isFalse();
            float[] values = Tensors.toFloats(tensor);
            assertThat(values).hasSize(512 * 64);
            for (float value : values) {
                assertThat(Math.abs(value)).isLessThan(100);
            }
            assertThat(checkpoint.tensor("model.embed_tokens.weight")).isSameAs(tensor);
        }
    }

    @Test
    void stories260kIsCopiedWithItsTokenizerButWithoutOtherWeights(@TempDir Path folder) {
        Path out = folder.resolve("copy");
        try (Checkpoint before = Checkpoint.open(RealData.path("lm-stories260k"));
                CheckpointWriter writer = CheckpointWriter.create(before, out, DType.BF16)) {
            writer.commit();
            try (Checkpoint after = Checkpoint.open(out)) {
                assertThat(after.files())
                        .containsKeys("tokenizer.json", "tokenizer.model", "generation_config.json")
                        .doesNotContainKey("stories260k-f32.gguf");
                assertThat(after.tokenizer().encode("Once upon a time", true))
                        .isEqualTo(before.tokenizer().encode("Once upon a time", true));
                assertThat(after.config().path("torch_dtype").asString()).isEqualTo("bfloat16");
                assertThat(after.tensors().keySet())
                        .containsExactlyInAnyOrderElementsOf(before.tensors().keySet());
                float[] exact =
                        Tensors.toFloats(before.tensor("model.layers.0.mlp.up_proj.weight"));
                float[] rounded =
                        Tensors.toFloats(after.tensor("model.layers.0.mlp.up_proj.weight"));
                for (int i = 0; i < exact.length; i++) {
                    // Half a unit in the last place of 8 significant bits.
                    assertThat(Math.abs(rounded[i] - exact[i]))
                            .isLessThanOrEqualTo(Math.abs(exact[i]) * 0x1p-8f);
                }
            }
        }
    }

    @Test
    void opensEveryTensorOfTheOtherRealFiles() {
        Path sort = RealData.path("lm-gpt-nano-sort/model.safetensors");
        Path silero = RealData.path("safetensors/silero_vad_16k.safetensors");
        for (Path path : new Path[] {sort, silero}) {
            try (SafetensorsFile file = SafetensorsFile.open(path);
                    PointerScope scope = new PointerScope()) {
                for (TensorInfo info : file.tensors().values()) {
                    Tensor tensor = file.tensor(info.name());
                    assertThat(Tensors.shape(tensor)).isEqualTo(info.dimensions());
                    assertThat(Tensors.toFloats(tensor)).hasSize((int) info.elements());
                }
            }
        }
    }
}
