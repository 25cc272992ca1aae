package org.espalier.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.node.ObjectNode;

/** A model file of another format that can be seen as a Hugging Face checkpoint, through {@link Checkpoint#of}. */
public interface CheckpointSource extends AutoCloseable {
    /** The file. */
    Path path();

    /** What {@code config.json} would say. */
    ObjectNode config();

    /** The tensors by their Hugging Face names; offsets mean nothing. */
    Map<String, TensorInfo> tensors();

    /** The tensor of this name, in the innermost scope of the caller; valid until {@link #close}, never written to. */
    Tensor tensor(String name);

    /** Whether there is a tokenizer. */
    boolean hasTokenizer();

    /** Opens the tokenizer; whoever asks closes it. */
    Tokenizer tokenizer();

    /** The files that hold the weights. */
    List<Path> weightFiles();

    /** Bytes of the tensors by the name of the type that they are stored in, which need not be one of safetensors. */
    Map<String, Long> bytesByType();

    /** The files that would lie beside the weights and the configuration, by name: the tokenizer's, if there is one. */
    Map<String, byte[]> sideFiles();

    /** What it has that a Hugging Face folder of it will not have, by name. */
    default List<String> leftOut() {
        return List.of();
    }

    @Override
    void close();
}
