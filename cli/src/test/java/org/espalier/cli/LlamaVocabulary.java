package org.espalier.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** The tokenizer of a GGUF file in llama.cpp, without the model's tensors. */
final class LlamaVocabulary implements AutoCloseable {
    /** As in {@link LlamaSession}: passed by value in memory, with room to spare. */
    private static final MemoryLayout PARAMETERS =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(32, ValueLayout.JAVA_LONG));

    /** vocab_only, use_mmap, use_mlock and check_tensors of include/llama.h of b4916. */
    private static final long VOCABULARY_ONLY = 56;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment model;
    private final MemorySegment vocabulary;

    LlamaVocabulary(Path file) {
        SegmentAllocator memory = arena;
        MemorySegment parameters =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function("llama_model_default_params", PARAMETERS),
                                memory);
        if (parameters.get(ValueLayout.JAVA_INT, VOCABULARY_ONLY) != 0x0100) {
            throw new AssertionError("this is not the llama.cpp that the layout is of");
        }
        parameters.set(ValueLayout.JAVA_BYTE, VOCABULARY_ONLY, (byte) 1);
        model =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_model_load_from_file",
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.POINTER,
                                        PARAMETERS),
                                arena.allocateFrom(file.toString()),
                                parameters);
        if (model.address() == 0) {
            arena.close();
            throw new IllegalArgumentException("llama.cpp does not load " + file);
        }
        vocabulary =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_model_get_vocab",
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.POINTER),
                                model);
    }

    /** Token ids of a text; {@code special} says whether special tokens are added. */
    long[] encode(String text, boolean special) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        MemorySegment ids = arena.allocate(4L * (utf8.length + 8));
        int count =
                (int)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_tokenize",
                                        LlamaLibrary.INT,
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.INT,
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.INT,
                                        LlamaLibrary.BOOL,
                                        LlamaLibrary.BOOL),
                                vocabulary,
                                arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8),
                                utf8.length,
                                ids,
                                utf8.length + 8,
                                special,
                                false);
        return Arrays.stream(ids.asSlice(0, 4L * count).toArray(ValueLayout.JAVA_INT))
                .asLongStream()
                .toArray();
    }

    @Override
    public void close() {
        LlamaLibrary.call(LlamaLibrary.procedure("llama_model_free", LlamaLibrary.POINTER), model);
        arena.close();
    }
}
