package org.espalier.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** Asks Linux whether code may be run from a file, as the loader of libraries would: by mapping it so. */
final class ExecutableMapping {
    /** PROT_READ and PROT_EXEC of mman.h. */
    private static final int READ_AND_EXECUTE = 1 | 4;

    private static final int MAP_PRIVATE = 2;
    private static final long BYTES = 4096;

    private ExecutableMapping() {}

    /**
     * Whether the system lets the file be mapped as code. True where it is another system, which is then asked by the
     * loader itself.
     *
     * @param file a file of at least 4,096 bytes
     */
    static boolean isAllowed(Path file) {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return true;
        }
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle open =
                    LibC.function(
                            "open",
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT);
            int descriptor = (int) open.invoke(arena.allocateFrom(file.toString()), 0);
            if (descriptor < 0) {
                return false;
            }
            MethodHandle map =
                    LibC.function(
                            "mmap",
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG);
            long address =
                    (long)
                            map.invoke(
                                    MemorySegment.NULL,
                                    BYTES,
                                    READ_AND_EXECUTE,
                                    MAP_PRIVATE,
                                    descriptor,
                                    0L);
            int closed =
                    (int)
                            LibC.function("close", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)
                                    .invoke(descriptor);
            if (address == -1 || closed != 0) {
                return false;
            }
            int unmapped =
                    (int)
                            LibC.function(
                                            "munmap",
                                            ValueLayout.JAVA_INT,
                                            ValueLayout.JAVA_LONG,
                                            ValueLayout.JAVA_LONG)
                                    .invoke(address, BYTES);
            return unmapped == 0;
        } catch (Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("open, mmap, munmap and close throw nothing", e);
        }
    }
}
