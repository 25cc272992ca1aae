package org.espalier.audit.language;

import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.progress.Progress;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.Decoder;
import org.espalier.prune.calibrate.Thrift;

/** Anything that predicts the next token. */
public interface LanguageModel {
    /** A decoder that reads a text with everything in memory; it stays the caller's to close. */
    static LanguageModel of(Decoder decoder) {
        return of(decoder, Thrift.NONE);
    }

    /**
     * A decoder; it stays the caller's to close.
     *
     * @param thrift how memory is spared while a text is read; the logits are the same to the bit
     */
    static LanguageModel of(Decoder decoder, Thrift thrift) {
        return new LanguageModel() {
            @Override
            public int vocabulary() {
                return Math.toIntExact(decoder.config().vocabulary());
            }

            @Override
            public Tensor logits(Tensor ids) {
                return decoder.forward(ids);
            }

            @Override
            public Reading read(List<List<long[]>> batches, Progress progress) {
                return BlockwiseReading.of(decoder, batches, thrift, progress);
            }
        };
    }

    /** Number of tokens it knows. */
    int vocabulary();

    /**
     * Scores of every possible next token.
     *
     * @param ids int64 [sequences, tokens]
     * @return float32 [sequences, tokens, vocabulary], unnormalised; row t speaks about token t + 1
     */
    Tensor logits(Tensor ids);

    /**
     * Reads a text in batches. The caller closes the result.
     *
     * @param batches token ids; the sequences of a batch are equally long
     * @param progress hears of what is done before the first logits can be given
     */
    default Reading read(List<List<long[]>> batches, Progress progress) {
        return batch -> Tensors.scoped(() -> logits(ids(batches.get(batch))));
    }

    /** A batch of equally long sequences as int64 [sequences, tokens], in the innermost scope of the caller. */
    static Tensor ids(List<long[]> batch) {
        long[] flat = batch.stream().flatMapToLong(LongStream::of).toArray();
        return Tensors.longs(flat, batch.size(), batch.getFirst().length);
    }
}
