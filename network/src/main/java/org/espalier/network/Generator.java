package org.espalier.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Continues a text token by token. It keeps all blocks in memory as float32, so that a token costs one pass over the
 * weights; close it when done. One text at a time.
 */
public final class Generator implements AutoCloseable {
    private final Decoder decoder;
    private final Set<Long> stops;
    private final List<Block> blocks = new ArrayList<>();
    private final Head head;

    /** Loads every block of a decoder, which must stay open; a text ends where config.json says. */
    public Generator(Decoder decoder) {
        this(decoder, decoder.config().eos());
    }

    /**
     * Loads every block of a decoder, which must stay open.
     *
     * @param stops the tokens that end a text
     */
    public Generator(Decoder decoder, Collection<Long> stops) {
        this.decoder = decoder;
        this.stops = Set.copyOf(stops);
        this.head = decoder.head();
        try {
            for (int index = 0; index < decoder.blocks(); index++) {
                blocks.add(decoder.block(index));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Why a text ended. */
    public enum Stop {
        /** The model said that the text is over. */
        END_OF_TEXT,
        /** As many tokens as were asked for. */
        ENOUGH,
        /** The model has no more positions. */
        NO_POSITIONS
    }

    /**
     * A continuation.
     *
     * @param tokens the new tokens without the prompt and without the end-of-text token
     * @param stop why there are not more
     * @param stopToken the end-of-text token that was written; null where the text ended otherwise
     */
    public record Continuation(List<Long> tokens, Stop stop, @Nullable Long stopToken) {
        public Continuation {
            tokens = List.copyOf(tokens);
        }
    }

    /** Continues a prompt; see {@link #generate(long[], int, double, long, LongConsumer)}. */
    public Continuation generate(long[] prompt, int maxTokens, double temperature, long seed) {
        return generate(prompt, maxTokens, temperature, seed, token -> {});
    }

    /**
     * Continues a prompt. The same arguments give the same tokens on the same machine.
     *
     * @param prompt at least one token
     * @param maxTokens the most tokens to add
     * @param temperature 0 takes the likeliest token; above 0 samples from softmax(logits / temperature)
     * @param seed of the sampling
     * @param listener told of every new token at once
     * @throws UserError where the prompt is empty, longer than the model, or has unknown tokens
     */
    public Continuation generate(
            long[] prompt, int maxTokens, double temperature, long seed, LongConsumer listener) {
        long positions = decoder.config().maxPositions();
        if (prompt.length == 0) {
            throw new UserError("the prompt is empty; give at least one token");
        }
        if (prompt.length > positions) {
            throw new UserError(
                    "the prompt is "
                            + prompt.length
                            + " tokens long but the model has only "
                            + positions
                            + " positions; shorten it");
        }
        if (!(temperature >= 0) || temperature == Double.POSITIVE_INFINITY) {
            throw new UserError("temperature must be 0 or more but is " + temperature);
        }
        Sampler sampler = new Sampler(temperature, new SplittableRandom(seed));
        List<Long> tokens = new ArrayList<>();
        try (AutoGradMode noGrad = Tensors.noGrad();
                KeyValueCache cache = new KeyValueCache(decoder.blocks())) {
            long[] unseen = prompt;
            while (tokens.size() < maxTokens) {
                long token = sampler.next(lastLogits(unseen, cache));
                if (stops.contains(token)) {
                    return new Continuation(tokens, Stop.END_OF_TEXT, token);
                }
                tokens.add(token);
                listener.accept(token);
                // The newest token needs a position before it can be continued.
                if (cache.length() == positions) {
                    return new Continuation(tokens, Stop.NO_POSITIONS, null);
                }
                unseen = new long[] {token};
                if (cache.length() == longest()) {
                    // From here on the text turns by other frequencies: all keys are made anew.
                    cache.close();
                    unseen =
                            LongStream.concat(
                                            Arrays.stream(prompt),
                                            tokens.stream().mapToLong(Long::longValue))
                                    .toArray();
                }
            }
        }
        return new Continuation(tokens, Stop.ENOUGH, null);
    }

    /** The longest text that the first frequencies of the rotation are for. */
    private long longest() {
        Rope rope = decoder.config().rope();
        return rope == null ? Long.MAX_VALUE : rope.scaling().longest();
    }

    /** Logits of the token after {@code unseen}, which are the tokens after those in the cache. */
    private float[] lastLogits(long[] unseen, KeyValueCache cache) {
        try (PointerScope scope = new PointerScope()) {
            Tensor ids = Tensors.longs(unseen, 1, unseen.length);
            Tensor hidden = decoder.embed(ids, cache.length());
            for (Block block : blocks) {
                hidden = block.forward(hidden, null, cache);
            }
            return Tensors.toFloats(head.logits(hidden.narrow(1, unseen.length - 1, 1)));
        }
    }

    @Override
    public void close() {
        head.close();
        blocks.forEach(Block::close);
        blocks.clear();
    }

    /** Chooses a token from logits, in Java, so that a seed means the same everywhere. */
    record Sampler(double temperature, SplittableRandom random) {
        long next(float[] logits) {
            int best = 0;
            for (int i = 1; i < logits.length; i++) {
                if (logits[i] > logits[best]) {
                    best = i;
                }
            }
            if (temperature == 0) {
                return best;
            }
            double[] likelihood = new double[logits.length];
            for (int i = 0; i < logits.length; i++) {
                likelihood[i] = Math.exp((logits[i] - logits[best]) / temperature);
            }
            double left = random.nextDouble() * Arrays.stream(likelihood).sum();
            for (int i = 0; i < likelihood.length; i++) {
                left -= likelihood[i];
                if (left < 0) {
                    return i;
                }
            }
            // Rounding can leave a crumb after the last token.
            return best;
        }
    }
}
