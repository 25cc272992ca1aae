package org.espalier.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.audit.language.Evaluation;
import org.espalier.audit.language.Perplexity;
import org.espalier.audit.language.Protocol;
import org.espalier.audit.receipt.Quality;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.verify.Verification;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code verify}: derives again what a receipt claims. */
@Command(
        name = "verify",
        description = {
            "Checks a folder that prune wrote: every file, the report, the zeros of every matrix.",
            "With --source also that nothing else was touched; with --text also the perplexity."
        },
        sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
    /** Perplexities of the same weights on the same text differ by rounding only, whatever the threads. */
    private static final double TOLERANCE = 1e-3;

    private final Console console;

    @Parameters(paramLabel = "DIR", description = "Folder that prune wrote.")
    private Path folder = Path.of("");

    @Option(names = "--source", paramLabel = "MODEL", description = "The dense model.")
    private @Nullable Path source;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "The text that perplexity was measured on.")
    private @Nullable Path text;

    @Mixin private final CommonOptions common = new CommonOptions();

    VerifyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Receipt receipt = ReceiptFile.read(folder);
        common.applyThreads();
        List<String> differences =
                new ArrayList<>(Verification.differences(folder, source, console.progress()));
        if (differences.isEmpty() && text != null) {
            checkPerplexity(receipt, text, differences);
        }
        if (common.json()) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("folder", folder.toString());
            result.put("verified", differences.isEmpty());
            result.put("differences", differences);
            result.put("remainder", receipt.remainder());
            console.json(result);
        }
        if (!differences.isEmpty()) {
            differences.stream().skip(1).forEach(difference -> console.err().println(difference));
            throw new UserError(differences.getFirst());
        }
        if (!common.json()) {
            PruneSummary.remainder(console.out(), receipt.remainder());
            console.out()
                    .println(
                            folder
                                    + " is as its receipt says: "
                                    + receipt.files().size()
                                    + " files, "
                                    + receipt.layers().size()
                                    + " matrices, "
                                    + Words.percent(receipt.totals().sparsity())
                                    + " removed");
        }
        return 0;
    }

    private void checkPerplexity(Receipt receipt, Path file, List<String> differences) {
        Quality quality = receipt.quality();
        if (quality == null) {
            throw new UserError(folder + " has a receipt without a perplexity; leave --text out");
        }
        Protocol protocol = quality.protocol();
        try (OpenModel model = OpenModel.open(folder)) {
            MeasureText measure =
                    MeasureText.of(
                            model,
                            file,
                            protocol.window(),
                            protocol.stride(),
                            protocol.limit() == 0 ? null : protocol.limit(),
                            console.progress());
            if (!measure.protocol().textSha256().equals(protocol.textSha256())) {
                throw new UserError(file + " is not the text that the receipt was measured on");
            }
            Perplexity again =
                    Evaluation.perplexity(model.language(), measure.windows(), console.progress());
            double claimed = quality.after().value();
            if (Math.abs(again.value() - claimed) > TOLERANCE * claimed) {
                differences.add(
                        folder
                                + " has a perplexity of "
                                + again.value()
                                + " but the receipt says "
                                + claimed);
            }
        }
    }
}
