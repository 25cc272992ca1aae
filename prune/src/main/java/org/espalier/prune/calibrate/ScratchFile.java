package org.espalier.prune.calibrate;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.CRC32C;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * A file that float32 tensors are put into and taken from, and that is gone when it is closed, unless it is to last. It is read and written,
 * not mapped: mapped pages would count as resident memory of the process, and sparing that is what the file is for.
 */
final class ScratchFile implements AutoCloseable {
    /** A byte buffer cannot span more than 2 GiB. */
    private static final int CHUNK = 1 << 28;

    private final Path path;
    private final boolean lasting;
    private final FileChannel channel;

    /** Makes the file, over whatever a dead run has left under its name. */
    ScratchFile(Path path) {
        this(path, false, true);
    }

    private ScratchFile(Path path, boolean lasting, boolean fresh) {
        this.path = path;
        this.lasting = lasting;
        Set<OpenOption> options =
                new HashSet<>(Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        if (fresh) {
            options.add(StandardOpenOption.CREATE_NEW);
        }
        if (!lasting) {
            options.add(StandardOpenOption.DELETE_ON_CLOSE);
        }
        try {
            if (fresh) {
                Files.deleteIfExists(path);
            }
            channel = FileChannel.open(path, options);
        } catch (IOException e) {
            throw failure("make", e);
        }
    }

    /**
     * A file that stays when it is closed.
     *
     * @param fresh whether to make it, over whatever is there, or to open what is there
     */
    static ScratchFile lasting(Path path, boolean fresh) {
        return new ScratchFile(path, true, fresh);
    }

    /** Stores a contiguous tensor from a byte on. */
    void put(Tensor tensor, long position) {
        put(tensor, position, null);
    }

    /** Stores a contiguous tensor from a byte on, and adds its bytes to a checksum if there is one. */
    void put(Tensor tensor, long position, @Nullable CRC32C sum) {
        MemorySegment bytes = Tensors.segment(tensor);
        try {
            for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
                ByteBuffer chunk = chunk(bytes, at);
                if (sum != null) {
                    sum.update(chunk.duplicate());
                }
                for (long to = position + at; chunk.hasRemaining(); ) {
                    to += channel.write(chunk, to);
                }
            }
        } catch (IOException e) {
            throw failure("write", e);
        }
    }

    /** A new tensor with what lies from a byte on; it belongs to the innermost scope of the caller. */
    Tensor get(long position, long... shape) {
        Tensor tensor = torch.empty(shape, Tensors.options(ScalarType.Float), null);
        fill(tensor, position);
        return tensor;
    }

    /** Overwrites a contiguous tensor with what lies from a byte on. */
    void fill(Tensor tensor, long position) {
        MemorySegment bytes = Tensors.segment(tensor);
        try {
            for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
                ByteBuffer chunk = chunk(bytes, at);
                for (long from = position + at; chunk.hasRemaining(); ) {
                    int count = channel.read(chunk, from);
                    if (count < 0) {
                        throw new IllegalStateException(path + " has been cut off");
                    }
                    from += count;
                }
            }
        } catch (IOException e) {
            throw failure("read", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            if (!lasting) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw failure("remove", e);
        }
    }

    private UserError failure(String what, IOException e) {
        return new UserError(
                "cannot "
                        + what
                        + " the scratch file "
                        + path
                        + ": "
                        + e.getMessage()
                        + "; make room there, or give more --memory so that none is needed",
                e);
    }

    private static ByteBuffer chunk(MemorySegment bytes, long at) {
        return bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer();
    }
}
