package org.espalier.cli;

import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;

/** The command that holds the others. */
@Command(
        name = "espalier",
        description = {
            "Prunes trained language models: takes a Hugging Face checkpoint, removes the weights that matter"
                    + " least, and writes a checkpoint that stock runtimes load, with an account of what it cost.",
            "",
            "Without a model, prune works on the one that comes with espalier."
        },
        subcommands = HelpCommand.class,
        versionProvider = Espalier.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "2:a mistake that you can mend", "70:a mistake of espalier"})
final class Espalier {
    @SuppressWarnings("UnusedVariable") // picocli reads it
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    @SuppressWarnings("UnusedVariable") // picocli reads it
    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version.")
    private boolean version;

    /** The version of this build. */
    static String version() {
        return Objects.requireNonNullElse(
                Espalier.class.getPackage().getImplementationVersion(), "of the source tree");
    }

    /** What {@code --version} prints. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"espalier " + version()};
        }
    }
}
