package org.espalier.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Families;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The worked example of docs/adding-a-family.md: a family that the project does not know, as one file beside a model. */
class FamilyExampleTest {
    private static final long SEED = 40;

    @TempDir Path folder;

    @Test
    void logitsAreThoseOfThePlainForwardPass() throws IOException {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = Tensors.noGrad();
                TinyModel model = stablelm()) {
            write(model);
            long[] ids = model.ids(11, SEED);
            Files.writeString(folder.resolve(Families.BESIDE), example());
            try (Checkpoint checkpoint = Checkpoint.open(folder);
                    Decoder decoder = Decoder.open(checkpoint)) {
                float[] logits =
                        Tensors.toFloats(decoder.forward(Tensors.longs(ids, 1, ids.length)));
                Closeness.assertClose(logits, Reference.flatLogits(model, ids), 2e-6);
            }
        }
    }

    @Test
    void withoutItsDescriptorTheModelIsRefusedWithTheWayToMendIt() {
        try (TinyModel model = stablelm()) {
            assertThatThrownBy(() -> Decoder.open(model.config, model))
                    .isInstanceOf(UserError.class)
                    .hasMessageContaining("model_type 'stablelm' is not supported")
                    .hasMessageContaining("docs/adding-a-family.md");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    model_type: stablelm      | model_type: other        | describes model_type other but config.json says stablelm
                    norm: layer               | norm: group              | no descriptor of a family, norm:
                    norm: layer               | ''                       | norm is missing
                    vocabulary: {key: vocab_size} | ''                   | settings.vocabulary is missing
                    {key: vocab_size}         | {default: 3}             | settings.vocabulary.key is missing
                    final_norm: model.norm    | ''                       | names.final_norm is missing
                    final_norm: model.norm    | final: model.norm        | names.final_norm is missing
                    transposed: false         | transposd: false         | transposd
                    rope_theta:               | # rope_theta:            | settings.rope_theta is missing, which positions: rope needs
                    q: {name: "model          | queries: {name: "model   | kinds of matrices are
                    transposed: false         | transposed: 0            | no descriptor of a family, transposed
                    transposed: false         | transposed: null         | transposed has no value
                    transposed: false         | transposed: "false"      | no descriptor of a family, transposed
                    norm: layer               | norm: 1                  | no descriptor of a family, norm
                    final_norm: model.norm    | final_norm: 1.10         | no descriptor of a family, names.final_norm
                    final_norm: model.norm    | final_norm:              | names.final_norm has no value
                    down: {name:              | # down: {name:           | matrices: an MLP needs up, or gate_up, and down
                    self_attn.o_proj", bias: never} | self_attn.o_proj", bias: never, bias: always} | matrices.o.bias is given twice
                    o: {name: "model          | # o: {name: "model       | matrices: attention needs o and either
                    layers.{block}.mlp.up_proj | layers.0.mlp.up_proj    | matrices.up.name has no {block}
                    self_attn.o_proj", bias: never | self_attn.o_proj"   | matrices.o.bias is missing
                    self_attn.o_proj", bias: never | self_attn.o_proj", bias: switched | a switch goes with bias: switched
                    """)
    void descriptorsWithFaultsAreRefusedInOneLine(String good, String bad, String message)
            throws IOException {
        Path file = folder.resolve(Families.BESIDE);
        String descriptor = example();
        assertThat(descriptor).contains(good);
        Files.writeString(file, descriptor.replace(good, bad));
        assertThatThrownBy(() -> Families.read(file, "stablelm"))
                .isInstanceOf(UserError.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    private static String example() throws IOException {
        String root = System.getProperty("espalier.root");
        return Files.readString(
                Path.of(root == null ? ".." : root)
                        .resolve("examples/families/stablelm")
                        .resolve(Families.BESIDE));
    }

    private static TinyModel stablelm() {
        TinyModel model =
                new TinyModel(
                        """
                        {'model_type': 'stablelm', 'vocab_size': 19, 'hidden_size': 48,
                         'intermediate_size': 13, 'num_hidden_layers': 2,
                         'num_attention_heads': 3, 'num_key_value_heads': 1,
                         'use_qkv_bias': true}\
                        """,
                        SEED);
        model.random("model.embed_tokens.weight", 19, 48);
        for (int i = 0; i < 2; i++) {
            String block = "model.layers." + i + ".";
            for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
                model.norm(block + norm + ".weight", 48);
                model.random(block + norm + ".bias", 48);
            }
            model.linear(block + "self_attn.q_proj", 48, 48, true);
            model.linear(block + "self_attn.k_proj", 16, 48, true);
            model.linear(block + "self_attn.v_proj", 16, 48, true);
            model.linear(block + "self_attn.o_proj", 48, 48, false);
            model.linear(block + "mlp.gate_proj", 13, 48, false);
            model.linear(block + "mlp.up_proj", 13, 48, false);
            model.linear(block + "mlp.down_proj", 48, 13, false);
        }
        model.norm("model.norm.weight", 48);
        model.random("model.norm.bias", 48);
        model.random("lm_head.weight", 19, 48);
        return model;
    }

    private void write(TinyModel model) throws IOException {
        Files.writeString(folder.resolve("config.json"), model.config.toString());
        List<TensorSpec> plan = new ArrayList<>();
        model.shapes.forEach((name, shape) -> {
            List<Long> sizes = new ArrayList<>();
            for (long size : shape) {
                sizes.add(size);
            }
            plan.add(new TensorSpec(name, DType.F32, sizes));
        });
        Path file = folder.resolve("model.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, Map.of())) {
            for (TensorSpec spec : plan) {
                writer.write(spec.name(), model.tensor(spec.name()));
            }
            writer.commit();
        }
    }
}
