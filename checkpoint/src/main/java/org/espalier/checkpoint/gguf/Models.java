package org.espalier.checkpoint.gguf;

import java.nio.file.Path;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.HubCache;

/** Opens a model whatever its format. */
public final class Models {
    private Models() {}

    /** Opens a Hugging Face folder or a GGUF file; whatever is wrong with it is a user's error. */
    public static Checkpoint open(Path path) {
        return GgufFile.isNamed(path) ? GgufModel.open(path) : Checkpoint.open(path);
    }

    /** The folder that the files of a model lie in; of a root in the hub's cache its snapshot. */
    public static Path folder(Path path) {
        Path parent = path.toAbsolutePath().getParent();
        return GgufFile.isNamed(path) && parent != null ? parent : HubCache.snapshot(path);
    }
}
