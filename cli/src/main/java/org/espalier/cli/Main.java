package org.espalier.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
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
        try {
            return commandLine(console).execute(arguments);
        } catch (StackOverflowError | OutOfMemoryError e) {
            return internal(console, e);
        }
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
