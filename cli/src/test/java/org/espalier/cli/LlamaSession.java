package org.espalier.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** A model that llama.cpp has loaded, with its tokenizer and its logits. */
final class LlamaSession implements AutoCloseable {
    private static final int CONTEXT = 512;

    /**
     * The two parameter structures are passed by value in memory, so more room than they need does no harm; the fields
     * that are set lie where include/llama.h of b4916 has them.
     */
    private static final MemoryLayout PARAMETERS =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(32, ValueLayout.JAVA_LONG));

    private static final long THREADS = 16;
    private static final long TYPE_K = 88;
    private static final int F16 = 1;
    private static final int F32 = 0;

    /** n_tokens, token, embd, pos, n_seq_id, seq_id, logits. */
    private static final MemoryLayout BATCH =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(7, ValueLayout.JAVA_LONG));

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment model;
    private final MemorySegment context;
    private final MemorySegment vocabulary;
    private final int words;

    LlamaSession(Path file) {
        SegmentAllocator memory = arena;
        MemorySegment parameters =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function("llama_model_default_params", PARAMETERS),
                                memory);
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
            throw new AssertionError("llama.cpp does not load " + file);
        }
        MemorySegment settings =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function("llama_context_default_params", PARAMETERS),
                                memory);
        for (long at : new long[] {TYPE_K, TYPE_K + 4}) {
            if (settings.get(ValueLayout.JAVA_INT, at) != F16) {
                throw new AssertionError("this is not the llama.cpp that the layout is of");
            }
            settings.set(ValueLayout.JAVA_INT, at, F32);
        }
        for (long at = 0; at < 12; at += 4) {
            settings.set(ValueLayout.JAVA_INT, at, CONTEXT);
        }
        settings.set(ValueLayout.JAVA_INT, THREADS, 1);
        settings.set(ValueLayout.JAVA_INT, THREADS + 4, 1);
        context =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_init_from_model",
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.POINTER,
                                        PARAMETERS),
                                model,
                                settings);
        vocabulary =
                (MemorySegment)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_model_get_vocab",
                                        LlamaLibrary.POINTER,
                                        LlamaLibrary.POINTER),
                                model);
        words =
                (int)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_vocab_n_tokens",
                                        LlamaLibrary.INT,
                                        LlamaLibrary.POINTER),
                                vocabulary);
    }

    /** Token ids of a text, special tokens added. */
    long[] encode(String text) {
        MethodHandle tokenize =
                LlamaLibrary.function(
                        "llama_tokenize",
                        LlamaLibrary.INT,
                        LlamaLibrary.POINTER,
                        LlamaLibrary.POINTER,
                        LlamaLibrary.INT,
                        LlamaLibrary.POINTER,
                        LlamaLibrary.INT,
                        LlamaLibrary.BOOL,
                        LlamaLibrary.BOOL);
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        MemorySegment ids = arena.allocate(4L * (utf8.length + 8));
        int count =
                (int)
                        LlamaLibrary.call(
                                tokenize,
                                vocabulary,
                                arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8),
                                utf8.length,
                                ids,
                                utf8.length + 8,
                                true,
                                false);
        return Arrays.stream(ids.asSlice(0, 4L * count).toArray(ValueLayout.JAVA_INT))
                .asLongStream()
                .toArray();
    }

    /** The logits after every token, [tokens][vocabulary]. */
    float[][] logits(long[] ids) {
        LlamaLibrary.call(
                LlamaLibrary.procedure("llama_kv_self_clear", LlamaLibrary.POINTER), context);
        MemorySegment tokens =
                arena.allocateFrom(
                        ValueLayout.JAVA_INT,
                        Arrays.stream(ids).mapToInt(id -> (int) id).toArray());
        MemorySegment wanted = arena.allocate(ids.length);
        wanted.fill((byte) 1);
        MemorySegment batch = arena.allocate(BATCH);
        batch.set(ValueLayout.JAVA_INT, 0, ids.length);
        batch.set(ValueLayout.ADDRESS, 8, tokens);
        batch.set(ValueLayout.ADDRESS, 48, wanted);
        int result =
                (int)
                        LlamaLibrary.call(
                                LlamaLibrary.function(
                                        "llama_decode",
                                        LlamaLibrary.INT,
                                        LlamaLibrary.POINTER,
                                        BATCH),
                                context,
                                batch);
        if (result != 0) {
            throw new AssertionError("llama_decode gives " + result);
        }
        MemorySegment all =
                ((MemorySegment)
                                LlamaLibrary.call(
                                        LlamaLibrary.function(
                                                "llama_get_logits",
                                                LlamaLibrary.POINTER,
                                                LlamaLibrary.POINTER),
                                        context))
                        .reinterpret(4L * ids.length * words);
        float[][] logits = new float[ids.length][];
        for (int i = 0; i < ids.length; i++) {
            logits[i] = all.asSlice(4L * i * words, 4L * words).toArray(ValueLayout.JAVA_FLOAT);
        }
        return logits;
    }

    @Override
    public void close() {
        LlamaLibrary.call(LlamaLibrary.procedure("llama_free", LlamaLibrary.POINTER), context);
        LlamaLibrary.call(LlamaLibrary.procedure("llama_model_free", LlamaLibrary.POINTER), model);
        arena.close();
    }
}
