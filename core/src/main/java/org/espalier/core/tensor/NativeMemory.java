package org.espalier.core.tensor;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The memory that libtorch's tensors live in. */
public final class NativeMemory {
    /** From glibc's malloc.h. */
    private static final int M_MMAP_THRESHOLD = -3;

    /** Tensors below this size come and go without the system. */
    private static final int THRESHOLD = 1 << 20;

    private static final Path STATUS = Path.of("/proc/self/status");

    private NativeMemory() {}

    /**
     * Has tensors of 1 MiB and more allocated in mappings of their own, which go back to the system when they are freed.
     * By itself glibc raises that threshold up to 32 MiB, and the smaller tensors leave holes in a heap that grows from
     * block to block: a walk through TinyLlama 1.1B with 64 tokens ended at 1.74 GB so, and at 0.84 GB like this. Does
     * nothing where the C library is another.
     */
    static void giveBackWhatIsFreed() {
        Linker linker = Linker.nativeLinker();
        linker.defaultLookup().find("mallopt").ifPresent(address -> call(linker, address));
    }

    private static void call(Linker linker, MemorySegment address) {
        MethodHandle mallopt =
                linker.downcallHandle(
                        address,
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try {
            int accepted = (int) mallopt.invokeExact(M_MMAP_THRESHOLD, THRESHOLD);
            if (accepted == 0) {
                throw new IllegalStateException("mallopt refuses a threshold of " + THRESHOLD);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mallopt declares no exception", e);
        }
    }

    /**
     * The most memory that this process has had resident at once, in bytes: native memory, the heap and mapped pages.
     * Null where the system does not tell (it is Linux that does).
     */
    public static @Nullable Long peak() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            // There is no such file elsewhere.
        }
        return null;
    }
}
