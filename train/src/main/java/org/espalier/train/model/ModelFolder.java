package org.espalier.train.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.DurableFiles;
import org.espalier.checkpoint.SafetensorsWriter;
import org.espalier.checkpoint.TensorSpec;
import org.espalier.core.tensor.Tensors;
import org.espalier.train.tokenizer.BytePairVocabulary;
import org.espalier.train.tokenizer.TokenizerFiles;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Writes what a Hugging Face model folder consists of. */
final class ModelFolder {
    private ModelFolder() {}

    /**
     * Writes config, generation config, tokenizer and weights into an existing folder.
     *
     * @param tensors float32 tensors by name
     * @param dtype the type that they are stored in
     */
    static void write(
            Path folder,
            ModelShape shape,
            BytePairVocabulary vocabulary,
            Map<String, Tensor> tensors,
            DType dtype)
            throws IOException {
        int begin = BytePairVocabulary.BEGIN_ID;
        int end = BytePairVocabulary.END_ID;
        writeJson(folder.resolve("config.json"), shape.config(dtype.configName(), begin, end));
        ObjectNode generation = JsonMapper.shared().createObjectNode();
        generation.put("bos_token_id", begin).put("eos_token_id", end).put("do_sample", false);
        writeJson(folder.resolve("generation_config.json"), generation);
        TokenizerFiles.write(vocabulary, folder);
        writeTensors(folder.resolve("model.safetensors"), tensors, dtype);
    }

    /** Writes a safetensors file. */
    static void writeTensors(Path file, Map<String, Tensor> tensors, DType dtype) {
        List<TensorSpec> plan = new ArrayList<>();
        tensors.forEach((name, tensor) ->
                plan.add(
                        new TensorSpec(
                                name,
                                dtype,
                                Arrays.stream(Tensors.shape(tensor)).boxed().toList())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, plan, Map.of())) {
            tensors.forEach(writer::write);
            writer.commit();
        }
    }

    /** Writes JSON as people read it. */
    static void writeJson(Path file, JsonNode content) throws IOException {
        String text =
                JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(content);
        DurableFiles.write(file, text + "\n");
    }
}
