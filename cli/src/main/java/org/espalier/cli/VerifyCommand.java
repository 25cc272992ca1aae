package org.espalier.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.verify.Findings;
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
            "With --source also that nothing else was touched; with --text also the perplexity, with both also the dense"
                    + " model's and the divergence. What was not checked is listed."
        },
        sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
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
        Findings findings = Verification.of(folder, source, console.progress());
        if (findings.differences().isEmpty()) {
            TextCheck text = TextCheck.of(receipt, folder, source, this.text, common.threads());
            findings = text.extend(findings, console.progress());
        }
        List<String> differences = findings.differences();
        if (common.json()) {
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("folder", folder.toString());
            result.put("verified", differences.isEmpty());
            result.put("differences", differences);
            result.put("remainder", receipt.remainder());
            result.put("added", findings.added());
            result.put("checked", findings.checked());
            result.put("unchecked", findings.unchecked());
            console.json(result);
        }
        if (!differences.isEmpty()) {
            differences.stream().skip(1).forEach(difference -> console.err().println(difference));
            throw new UserError(differences.getFirst());
        }
        if (!common.json()) {
            PruneSummary.remainder(console.out(), receipt.remainder());
            print(receipt, findings);
        }
        return 0;
    }

    private void print(Receipt receipt, Findings findings) {
        PrintStream out = console.out();
        if (!findings.added().isEmpty()) {
            out.println("added since  " + ModelNotes.shown(findings.added()));
        }
        findings.checked().forEach(line -> out.println("checked      " + line));
        findings.unchecked().forEach(line -> out.println("not checked  " + line));
        out.println(
                folder
                        + " is as its receipt says: "
                        + receipt.files().size()
                        + " files, "
                        + receipt.layers().size()
                        + " matrices, "
                        + Words.percent(receipt.totals().sparsity())
                        + " removed");
    }
}
