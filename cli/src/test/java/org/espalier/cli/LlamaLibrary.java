package org.espalier.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.espalier.checkpoint.gguf.GgufType;

/**
 * The C interface of the llama.cpp (b4916) inside {@code de.kherud:llama}: that library's Java side gives texts only, the
 * C side every logit and the reference quantizers.
 */
final class LlamaLibrary {
    private static final String RESOURCE = "/de/kherud/llama/Linux/x86_64/libjllama.so";
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = load();

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    static final ValueLayout.OfBoolean BOOL = ValueLayout.JAVA_BOOLEAN;
    static final MemoryLayout POINTER = ValueLayout.ADDRESS;

    private LlamaLibrary() {}

    /** A function of the library; {@code result} is null for void. */
    static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                SYMBOLS.findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

    static MethodHandle procedure(String name, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                SYMBOLS.findOrThrow(name), FunctionDescriptor.ofVoid(arguments));
    }

    /** Calls a handle; what a native call throws is a bug of the test. */
    static Object call(MethodHandle handle, Object... arguments) {
        try {
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** What ggml itself makes of rows of float32. */
    static byte[] quantize(GgufType type, float[] values, int rows) {
        MethodHandle quantize =
                function(
                        "ggml_quantize_chunk",
                        LONG,
                        INT,
                        POINTER,
                        POINTER,
                        LONG,
                        LONG,
                        LONG,
                        POINTER);
        try (Arena arena = Arena.ofConfined()) {
            long bytes = (long) values.length / type.blockElements() * type.blockBytes();
            MemorySegment target = arena.allocate(bytes);
            call(
                    quantize,
                    type.id(),
                    arena.allocateFrom(ValueLayout.JAVA_FLOAT, values),
                    target,
                    0L,
                    (long) rows,
                    (long) values.length / rows,
                    MemorySegment.NULL);
            return target.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** What ggml itself reads from blocks. */
    static float[] dequantize(GgufType type, byte[] blocks, int elements) {
        String name = type.name().toLowerCase(Locale.ROOT).replace("_k", "_K");
        MethodHandle dequantize = procedure("dequantize_row_" + name, POINTER, POINTER, LONG);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(4L * elements);
            call(
                    dequantize,
                    arena.allocateFrom(ValueLayout.JAVA_BYTE, blocks),
                    target,
                    (long) elements);
            return target.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // called by the library
    private static void silence(int level, MemorySegment text, MemorySegment data) {}

    private static SymbolLookup load() {
        try (InputStream library = LlamaLibrary.class.getResourceAsStream(RESOURCE)) {
            Path copy = Files.createTempFile("espalier-llama", ".so");
            copy.toFile().deleteOnExit();
            Files.write(copy, java.util.Objects.requireNonNull(library, RESOURCE).readAllBytes());
            SymbolLookup symbols = SymbolLookup.libraryLookup(copy, Arena.global());
            MethodHandle quiet =
                    MethodHandles.lookup()
                            .findStatic(
                                    LlamaLibrary.class,
                                    "silence",
                                    MethodType.methodType(
                                            void.class,
                                            int.class,
                                            MemorySegment.class,
                                            MemorySegment.class));
            FunctionDescriptor log =
                    FunctionDescriptor.ofVoid(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
            MethodHandle set =
                    LINKER.downcallHandle(
                            symbols.findOrThrow("llama_log_set"),
                            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            call(set, LINKER.upcallStub(quiet, log, Arena.global()), MemorySegment.NULL);
            // Among others this fills the table of halves that ggml reads blocks with.
            call(
                    LINKER.downcallHandle(
                            symbols.findOrThrow("llama_backend_init"),
                            FunctionDescriptor.ofVoid()));
            return symbols;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }
}
