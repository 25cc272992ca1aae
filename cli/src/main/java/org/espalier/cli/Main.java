package org.espalier.cli;

import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.espalier.checkpoint.IoFailure;
import org.espalier.core.UserError;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point: exit code 0 for success, 2 for a mistake of the user, 70 for one of ours. */
public final class Main {
    static final int USER_ERROR = 2;
    static final int INTERNAL_ERROR = 70;

    private Main() {}

    /** Runs the command line and ends the process with its exit code. */
    public static void main(String[] arguments) {
        int code = run(Console.system(), arguments);
        System.out.flush();
        System.err.flush();
        // Native threads would otherwise keep the process alive.
        System.exit(code);
    }

    /** Runs the command line and returns its exit code. */
    static int run(Console console, String... arguments) {
        int code;
        try {
            code = commandLine(console).execute(arguments);
        } catch (LinkageError e) {
            code = unlinked(console, e);
        } catch (StackOverflowError | OutOfMemoryError e) {
            code = internal(console, e);
        }
        String loss = console.out() instanceof ResultStream stream ? stream.loss() : null;
        return loss == null ? code : lost(console, code, loss);
    }

    /** A result that nobody has seen is no success, also where the reader of a pipe has gone. */
    private static int lost(Console console, int code, String reason) {
        int complained =
                complain(
                        console,
                        "standard output did not take the whole result ("
                                + reason
                                + "); files that were made are complete");
        return code == 0 ? complained : code;
    }

    /** All commands, with the exit codes and messages of this house. */
    static CommandLine commandLine(Console console) {
        CommandLine line = new CommandLine(new Espalier());
        line.addSubcommand(new PruneCommand(console));
        line.addSubcommand(new EvaluateCommand(console));
        line.addSubcommand(new InspectCommand(console));
        line.addSubcommand(new VerifyCommand(console));
        line.addSubcommand(new GenerateCommand(console));
        line.addSubcommand(new RecipesCommand(console));
        line.addSubcommand(new ExportCommand(console));
        line.addSubcommand(new TrainCommand(console));
        line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        // A word that begins with @ is a word, not a file of further words.
        line.setExpandAtFiles(false);
        NumberWords.register(line);
        line.setUsageHelpWidth(100);
        line.setParameterExceptionHandler((error, _) -> misuse(console, error));
        line.setExecutionExceptionHandler((error, _, _) -> failure(console, error));
        return line;
    }

    private static int misuse(Console console, ParameterException error) {
        String message = String.valueOf(error.getMessage());
        if (error instanceof UnmatchedArgumentException unmatched) {
            var suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                message += "; did you mean " + String.join(" or ", suggestions) + "?";
            }
        }
        String command = error.getCommandLine().getCommandSpec().qualifiedName();
        return complain(console, message + " (see " + command + " --help)");
    }

    private static int failure(Console console, Exception error) {
        if (error instanceof UserError) {
            return complain(console, String.valueOf(error.getMessage()));
        }
        if (error instanceof UncheckedIOException failed) {
            return complain(console, String.valueOf(IoFailure.of(failed).getMessage()));
        }
        return internal(console, error);
    }

    /** The native libraries do not load; that of the Java classes is in our hands. */
    private static int unlinked(Console console, LinkageError error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage());
            if (cause instanceof UnsatisfiedLinkError || message.contains("org.bytedeco")) {
                return complain(
                        console,
                        "the native libraries do not load ("
                                + message.lines().findFirst().orElse("")
                                + "); they lie in "
                                + NativeCache.folder()
                                + ": remove that folder, or name another one with the environment"
                                + " variable "
                                + NativeCache.VARIABLE
                                + ", on a disk with room that programs may be run from");
            }
        }
        return internal(console, error);
    }

    private static int complain(Console console, String message) {
        console.err().println("espalier: " + message.strip().replaceAll("\\s*\\R\\s*", " "));
        return USER_ERROR;
    }

    /** libtorch puts its own stack into the message: one line of it is enough, the Java trace says where. */
    private static int internal(Console console, Throwable error) {
        String first = String.valueOf(error.getMessage()).lines().findFirst().orElse("");
        console.err()
                .println("espalier: internal error: " + error.getClass().getName() + ": " + first);
        for (StackTraceElement frame : error.getStackTrace()) {
            console.err().println("\tat " + frame);
        }
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            console.err().println("caused by " + cause);
        }
        console.err().println("This is a bug in espalier; please report it with the lines above.");
        return INTERNAL_ERROR;
    }
}
