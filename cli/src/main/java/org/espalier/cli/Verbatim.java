package org.espalier.cli;

import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;

/**
 * Takes the word after an option as it is: a prompt may be {@code --json} or {@code -o}, and means just that. One
 * instance serves one option of one command line.
 */
final class Verbatim implements IParameterConsumer {
    private boolean given;

    @Override
    @SuppressWarnings("JdkObsolete") // picocli hands over a stack
    public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
        String name = option instanceof OptionSpec named ? named.longestName() : option.toString();
        if (words.isEmpty()) {
            throw new MissingParameterException(
                    command.commandLine(), option, "option '" + name + "' needs a word after it");
        }
        if (given) {
            throw new OverwrittenOptionException(
                    command.commandLine(),
                    option,
                    "option '" + name + "' should be specified only once");
        }
        given = true;
        option.setValue(words.pop());
    }
}
