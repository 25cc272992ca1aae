package org.espalier.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;

/** A file of weights, mapped into memory and checked as a whole before anything is handed out. */
public interface WeightFile extends AutoCloseable {
    /** The path that was opened. */
    Path path();

    /** The tensors by name, in the order of the file. */
    Map<String, TensorInfo> tensors();

    /** What the file says about itself, by key. */
    Map<String, String> metadata();

    /** The bytes of a tensor that is not {@link #isConverted}, read-only: valid until this file is closed. */
    MemorySegment segment(String name);

    /**
     * The tensor in the file's dtype, in the innermost scope of the caller. It must not be used after this file is
     * closed, and <em>must never be written to</em>: it may lie over the mapped bytes, whose pages are read-only.
     *
     * @throws UserError for a type that libtorch does not have
     */
    Tensor tensor(String name);

    /** Whether a tensor does not lie in the file as it is handed out, element after element. */
    boolean isConverted(String name);

    /** Gives the memory of a tensor's pages back to the system; whoever reads it again gets them from the disk. */
    void unload(String name);

    /** Tensors that are the same data as another one, each with the name of that. */
    Map<String, String> twins();

    /** What else lies in the file and is no part of the model, by its keys. */
    List<String> leftOut();

    @Override
    void close();
}
