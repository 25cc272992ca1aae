package org.espalier.cli;

import java.nio.file.Path;
import org.espalier.audit.language.LanguageModel;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.HubCache;
import org.espalier.checkpoint.StopTokens;
import org.espalier.checkpoint.gguf.Models;
import org.espalier.network.Decoder;
import org.espalier.network.Generator;
import org.espalier.network.text.TextEncoder;
import org.espalier.prune.calibrate.Thrift;

/**
 * A checkpoint with the network that runs it.
 *
 * @param checkpoint its files
 * @param decoder its network
 */
record OpenModel(Checkpoint checkpoint, Decoder decoder) implements AutoCloseable {
    /** Opens a folder or a GGUF file; whatever is wrong with it is a {@link org.espalier.core.UserError}. */
    static OpenModel open(Path path) {
        NativeCache.prepare();
        Checkpoint checkpoint = Models.open(path);
        try {
            return new OpenModel(checkpoint, Decoder.open(checkpoint));
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Name of the folder or file, without the way to it; of a snapshot in the hub's cache that of the model. */
    String name() {
        return HubCache.name(checkpoint.folder());
    }

    /** Number of tokens that the model knows. */
    int vocabulary() {
        return Math.toIntExact(decoder.config().vocabulary());
    }

    /** The most tokens that the model reads at once. */
    int positions() {
        return (int) Math.min(Integer.MAX_VALUE, decoder.config().maxPositions());
    }

    /** The model as the measuring code sees it, with everything in memory. */
    LanguageModel language() {
        return language(Thrift.NONE);
    }

    /** The model as the measuring code sees it. */
    LanguageModel language(Thrift thrift) {
        return LanguageModel.of(decoder, thrift);
    }

    /** The tokenizer with the special tokens that it adds by itself; it is opened when text comes. */
    TextEncoder encoder() {
        return new ModelEncoder(checkpoint);
    }

    /** The tokens at which the model's writing ends. */
    StopTokens stops() {
        return StopTokens.of(checkpoint, vocabulary());
    }

    /** What the model writes after a prompt, without the prompt. */
    String continuation(String prompt, int tokens) {
        long[] ids = checkpoint.tokenizer().encode(prompt, true);
        try (Generator generator = new Generator(decoder, stops().ids())) {
            long[] added =
                    generator.generate(ids, tokens, 0, 0).tokens().stream()
                            .mapToLong(Long::longValue)
                            .toArray();
            return Decoding.continuation(checkpoint.tokenizer(), ids, added);
        }
    }

    @Override
    public void close() {
        decoder.close();
        checkpoint.close();
    }
}
