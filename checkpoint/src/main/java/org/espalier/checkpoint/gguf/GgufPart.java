package org.espalier.checkpoint.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.espalier.checkpoint.Impostor;
import org.espalier.checkpoint.IoFailure;
import org.espalier.core.UserError;

/**
 * One file of a model, which is most often the only one: mapped, its header read and checked.
 *
 * @param path the file
 * @param arena what the mapping lives in
 * @param content the mapped bytes
 * @param header what they say before the data
 */
record GgufPart(Path path, Arena arena, MemorySegment content, GgufHeader header)
        implements AutoCloseable {
    static GgufPart open(Path path) {
        if (Files.isSymbolicLink(path) || Files.isRegularFile(path)) {
            Impostor.refuse(path);
        }
        if (!Files.isRegularFile(path)) {
            throw new UserError(
                    (Files.exists(path) ? path + " is not a file" : "there is no file " + path)
                            + "; give the path of a .gguf file");
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment content =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            GgufPart part =
                    new GgufPart(path, arena, content, GgufHeaderReader.read(path, content));
            opened = true;
            return part;
        } catch (IOException e) {
            throw IoFailure.reading(path, e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /** The bytes of a tensor of this part. */
    MemorySegment segment(GgufTensor tensor) {
        return content.asSlice(tensor.begin(), tensor.bytes());
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
