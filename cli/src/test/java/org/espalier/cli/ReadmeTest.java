package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the pages promise can be typed: every command in them is parsed by the real command line. */
class ReadmeTest {
    private static final String PROMPT = "./espalier ";

    @Test
    void everyCommandInThePagesIsUnderstood() throws IOException {
        List<String> commands = new ArrayList<>();
        for (Path page : pages()) {
            commands.addAll(commands(page));
        }
        assertThat(commands).contains("./espalier prune").hasSizeGreaterThan(5);
        for (String command : commands) {
            CommandLine line = Main.commandLine(console());
            line.parseArgs(words(command.substring(PROMPT.length())));
        }
    }

    @Test
    void theTestCommandIsTheOneThatContinuousIntegrationRuns() throws IOException {
        String run = Files.readString(Runs.root().resolve(".ci/run"));
        assertThat(Files.readString(Runs.root().resolve("README.md")))
                .contains("\nmvn -B -ntp verify ");
        assertThat(run).contains("mvn -B -ntp verify");
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(Runs.root().resolve("README.md")));
        Path docs = Runs.root().resolve("docs");
        if (Files.isDirectory(docs)) {
            try (Stream<Path> files = Files.walk(docs)) {
                files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
            }
        }
        return pages;
    }

    /** Lines of code blocks that begin with the launcher; a backslash goes on in the next line. */
    private static List<String> commands(Path page) throws IOException {
        List<String> commands = new ArrayList<>();
        boolean code = false;
        for (String line : Files.readString(page).replace("\\\n", " ").lines().toList()) {
            if (line.strip().startsWith("```")) {
                code = !code;
            } else if (code && line.strip().startsWith(PROMPT)) {
                commands.add(line.strip().replaceFirst("\\s+#.*", ""));
            }
        }
        return commands;
    }

    private static String[] words(String command) {
        List<String> words = new ArrayList<>();
        var matcher =
                java.util.regex.Pattern.compile("\"([^\"]*)\"|'([^']*)'|(\\S+)").matcher(command);
        while (matcher.find()) {
            words.add(
                    Stream.of(matcher.group(1), matcher.group(2), matcher.group(3))
                            .filter(java.util.Objects::nonNull)
                            .findFirst()
                            .orElseThrow());
        }
        return words.toArray(String[]::new);
    }

    private static Console console() {
        PrintStream nowhere =
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return new Console(nowhere, nowhere, false);
    }
}
