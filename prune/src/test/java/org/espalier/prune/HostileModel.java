package org.espalier.prune;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.espalier.prune.calibrate.Calibration;

/** Whole models that break numerics: two Llama blocks of width 12 in which something is spoilt. */
enum HostileModel {
    ORDINARY(_ -> {}),
    ONE_TOKEN(_ -> {}) {
        @Override
        Calibration calibration() {
            return new Calibration(List.of(new long[] {3}));
        }
    },
    FEWER_TOKENS_THAN_INPUTS(_ -> {}) {
        @Override
        Calibration calibration() {
            return new Calibration(List.of(new long[] {3, 9, 3}, new long[] {1}));
        }
    },
    ONE_TOKEN_AGAIN_AND_AGAIN(_ -> {}) {
        @Override
        Calibration calibration() {
            long[] ids = new long[20];
            Arrays.fill(ids, 5);
            return new Calibration(List.of(ids, ids));
        }
    },
    DEAD_CHANNELS(model -> {
        for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
            for (int channel : new int[] {0, 1, 7, 11}) {
                model.values(name(0, norm))[channel] = 0;
            }
        }
    }),
    DEAD_NORM(model -> Arrays.fill(model.values(name(0, "input_layernorm")), 0)),
    DEAD_EMBEDDING(model -> Arrays.fill(model.values("model.embed_tokens.weight"), 0)),
    REPEATED_CHANNELS(model -> {
        float[] embedding = model.values("model.embed_tokens.weight");
        for (int at = 0; at < embedding.length; at++) {
            embedding[at] = embedding[at - at % 2];
        }
        Arrays.fill(model.values(name(0, "input_layernorm")), 1);
    }),
    ZERO_ROWS(model -> matrices(model).forEach(values -> Arrays.fill(values, 0, half(values), 0))),
    ZERO_MATRICES(model -> {
        Arrays.fill(model.values(name(0, "mlp.up_proj")), 0);
        Arrays.fill(model.values(name(1, "self_attn.v_proj")), 0);
        Arrays.fill(model.values(name(1, "mlp.down_proj")), 0);
    }),
    ALL_MATRICES_ZERO(model -> matrices(model).forEach(values -> Arrays.fill(values, 0))),
    NEGATIVE_ZEROS(model ->
            matrices(model).forEach(values -> Arrays.fill(values, 0, half(values), -0.0f))),
    EQUAL_WEIGHTS(model -> matrices(model).forEach(values -> Arrays.fill(values, 0.1f))),
    HUGE_MATRIX(model -> scale(model.values(name(0, "self_attn.v_proj")), 1e30f)),
    HUGE_WEIGHT(model -> model.values(name(1, "mlp.gate_proj"))[7] = 1e30f),
    HUGE_EVERYWHERE(model -> matrices(model).forEach(values -> scale(values, 1e30f))),
    HUGE_AGAINST_TINY(model -> {
        scale(model.values(name(0, "mlp.gate_proj")), 1e30f);
        scale(model.values(name(0, "mlp.up_proj")), 1e30f);
        scale(model.values(name(0, "post_attention_layernorm")), 1e-30f);
    }),
    TINY_AGAINST_HUGE(model -> {
        scale(model.values(name(0, "mlp.gate_proj")), 1e-30f);
        scale(model.values(name(0, "mlp.up_proj")), 1e-30f);
        scale(model.values(name(0, "post_attention_layernorm")), 1e30f);
    }),
    TINY_MATRICES(model -> matrices(model).forEach(values -> scale(values, 1e-30f))),
    DENORMALS(model -> matrices(model).forEach(values -> scale(values, 1e-39f))),
    NOT_A_NUMBER(model -> model.values(name(1, "self_attn.k_proj"))[13] = Float.NaN),
    ALL_NOT_NUMBERS(model -> matrices(model).forEach(values -> Arrays.fill(values, Float.NaN))),
    INFINITY(model -> model.values(name(0, "mlp.down_proj"))[5] = Float.NEGATIVE_INFINITY),
    NORM_NOT_A_NUMBER(model -> model.values(name(1, "input_layernorm"))[2] = Float.NaN),
    EMBEDDING_INFINITE(
            model -> model.values("model.embed_tokens.weight")[40] = Float.POSITIVE_INFINITY);

    static final int BLOCKS = 2;
    static final int VOCABULARY = 17;
    private static final int HIDDEN = 12;
    private static final List<String> MATRICES =
            List.of(
                    "self_attn.q_proj",
                    "self_attn.k_proj",
                    "self_attn.v_proj",
                    "self_attn.o_proj",
                    "mlp.gate_proj",
                    "mlp.up_proj",
                    "mlp.down_proj");

    @SuppressWarnings("ImmutableEnumChecker") // functions without state
    private final Consumer<TinyCheckpoint> spoil;

    HostileModel(Consumer<TinyCheckpoint> spoil) {
        this.spoil = spoil;
    }

    /**
     * Makes the model.
     *
     * @param inner width of the MLP; at 1 its matrices are one row and one column
     */
    TinyCheckpoint make(long seed, int inner) {
        TinyCheckpoint model =
                new TinyCheckpoint(
                        """
                        {"model_type": "llama", "vocab_size": 17, "hidden_size": 12, "intermediate_size": %d,
                         "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1,
                         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
                         "tie_word_embeddings": false}
                        """
                                .formatted(inner),
                        seed);
        model.matrix("model.embed_tokens.weight", VOCABULARY, HIDDEN);
        model.matrix("lm_head.weight", VOCABULARY, HIDDEN);
        model.norm("model.norm.weight", HIDDEN);
        for (int block = 0; block < BLOCKS; block++) {
            model.norm(name(block, "input_layernorm"), HIDDEN);
            model.norm(name(block, "post_attention_layernorm"), HIDDEN);
            model.matrix(name(block, "self_attn.q_proj"), HIDDEN, HIDDEN);
            model.matrix(name(block, "self_attn.k_proj"), 4, HIDDEN);
            model.matrix(name(block, "self_attn.v_proj"), 4, HIDDEN);
            model.matrix(name(block, "self_attn.o_proj"), HIDDEN, HIDDEN);
            model.matrix(name(block, "mlp.gate_proj"), inner, HIDDEN);
            model.matrix(name(block, "mlp.up_proj"), inner, HIDDEN);
            model.matrix(name(block, "mlp.down_proj"), HIDDEN, inner);
        }
        spoil.accept(model);
        return model;
    }

    /** The models of plain numbers, which nothing may refuse. */
    static Set<HostileModel> plain() {
        return EnumSet.range(ORDINARY, EQUAL_WEIGHTS);
    }

    /** The models with weights that are no numbers, which nothing may prune. */
    static Set<HostileModel> notFinite() {
        return EnumSet.range(NOT_A_NUMBER, INFINITY);
    }

    /** What is measured on it: more tokens than inputs, if nothing else is said. */
    Calibration calibration() {
        Random random = new Random(7);
        return new Calibration(
                IntStream.of(16, 13, 16, 16)
                        .mapToObj(length -> random.longs(length, 0, VOCABULARY).toArray())
                        .toList());
    }

    private static String name(int block, String module) {
        return "model.layers." + block + "." + module + ".weight";
    }

    private static List<float[]> matrices(TinyCheckpoint model) {
        return IntStream.range(0, BLOCKS)
                .boxed()
                .flatMap(
                        block -> MATRICES.stream().map(module -> model.values(name(block, module))))
                .toList();
    }

    private static int half(float[] values) {
        return values.length / 2;
    }

    private static void scale(float[] values, float factor) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
    }
}
