package org.espalier.cli;

import java.nio.file.Path;
import java.util.List;
import org.espalier.audit.language.Protocol;
import org.espalier.audit.language.Window;
import org.espalier.core.UserError;
import org.espalier.core.progress.Progress;
import org.espalier.network.text.Documents;
import org.espalier.network.text.TextSource;
import org.jspecify.annotations.Nullable;

/**
 * A text cut into windows for one model.
 *
 * @param source the text
 * @param protocol how it was cut
 * @param sequences token ids
 * @param windows what is read
 */
record MeasureText(
        TextSource source, Protocol protocol, List<long[]> sequences, List<Window> windows) {
    private static final int LONGEST_DEFAULT_WINDOW = 2048;

    /**
     * Reads, tokenizes and cuts a text.
     *
     * @param window tokens per window, or null for what the model reads at once, at most 2048
     * @param stride tokens between windows, or null for windows side by side
     * @param limit windows at most, or null for all
     * @param progress told of how the text was read
     */
    static MeasureText of(
            OpenModel model,
            Path file,
            @Nullable Integer window,
            @Nullable Integer stride,
            @Nullable Integer limit,
            Progress progress) {
        int positions = model.positions();
        int length = window == null ? Math.min(positions, LONGEST_DEFAULT_WINDOW) : window;
        if (length < 2 || length > positions) {
            throw new UserError(
                    "--window must be from 2 to the model's "
                            + positions
                            + " positions but is "
                            + length);
        }
        int step = stride == null ? length : stride;
        if (step < 1 || step > length) {
            throw new UserError(
                    "--stride must be from 1 to the window's " + length + " tokens but is " + step);
        }
        if (limit != null && limit < 1) {
            throw new UserError("--windows must be at least 1 but is " + limit);
        }
        TextSource source = TextInputs.read(file, progress);
        boolean words = source instanceof Documents;
        long enough = limit == null ? Long.MAX_VALUE : length + (limit - 1L) * step;
        List<long[]> sequences = source.sequences(model.encoder(), model.vocabulary(), enough);
        DoubledBeginning.notes(model.checkpoint(), source).forEach(progress::note);
        String beginning =
                words ? model.checkpoint().tokenizer().addsBos() ? "bos" : "none" : "as given";
        Protocol protocol =
                new Protocol(
                        source.origin().name(),
                        source.origin().sha256(),
                        source.origin().bytesRead(),
                        length,
                        step,
                        limit == null ? 0 : limit,
                        beginning,
                        words ? "dropped" : "kept");
        return new MeasureText(source, protocol, sequences, protocol.windows(sequences));
    }

    /** How it was measured, in one line. */
    String describe() {
        return protocol.text()
                + ", "
                + windows.size()
                + (windows.size() == 1 ? " window" : " windows")
                + " of "
                + protocol.window()
                + " tokens, stride "
                + protocol.stride()
                + ", beginning: "
                + protocol.beginning();
    }
}
