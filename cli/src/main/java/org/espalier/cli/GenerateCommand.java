package org.espalier.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.espalier.checkpoint.StopTokens;
import org.espalier.checkpoint.Tokenizer;
import org.espalier.core.UserError;
import org.espalier.network.Generator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code generate}: continues a prompt. */
@Command(
        name = "generate",
        description =
                "Continues a text, greedily or by sampling. The same seed gives the same text.",
        sortOptions = false)
final class GenerateCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            paramLabel = "MODEL",
            description = "Folder of a Hugging Face checkpoint, or a .gguf file.")
    private Path model = Path.of("");

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            required = true,
            parameterConsumer = Verbatim.class,
            description = "The beginning; the next word is taken as it is.")
    private String prompt = "";

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Tokens to add at most (default: ${DEFAULT-VALUE}).")
    private int maxTokens = 100;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            description = "0 takes the likeliest token (default); above 0 samples.")
    private double temperature;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the sampling (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--memory",
            paramLabel = "LIMIT",
            description =
                    "Most resident memory, such as 4GiB, 6G or 500MB: a model that does not fit is refused before it is"
                            + " loaded (default: that of the machine).")
    private @Nullable String memory;

    @Mixin private final CommonOptions common = new CommonOptions();

    GenerateCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (maxTokens < 1) {
            throw new UserError("--max-tokens must be at least 1 but is " + maxTokens);
        }
        MemoryBudget budget = MemoryBudget.of(memory);
        try (OpenModel open = OpenModel.open(model)) {
            common.applyThreads();
            ModelNotes.tell(open, console.progress());
            Tokenizer tokenizer = open.checkpoint().tokenizer();
            long[] ids = tokenizer.encode(prompt, true);
            StopTokens stops = open.stops();
            tokenizer.notes().forEach(console.progress()::note);
            stops.notes().forEach(console.progress()::note);
            DoubledBeginning.notes(tokenizer, "the prompt", prompt)
                    .forEach(console.progress()::note);
            budget.requireGenerator(open.decoder(), (long) ids.length + maxTokens);
            Typewriter typewriter = new Typewriter(tokenizer, ids);
            Generator.Continuation continuation;
            try (Generator generator = new Generator(open.decoder(), stops.ids())) {
                continuation =
                        generator.generate(ids, maxTokens, temperature, seed, typewriter::type);
            } catch (UserError e) {
                typewriter.breakLine();
                throw e;
            }
            if (!common.json()) {
                typewriter.finish();
                return 0;
            }
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("prompt", prompt);
            result.put("text", typewriter.text());
            result.put("tokens", continuation.tokens());
            result.put("stop", continuation.stop().name().toLowerCase(Locale.ROOT));
            result.put("stopToken", continuation.stopToken());
            result.put("stopTokens", stops.ids());
            console.json(result);
        }
        return 0;
    }

    /**
     * Prints the prompt with the first token, when nothing is refused any more, and the text as it grows; the end of it
     * may still change while a character is incomplete. Prints nothing where the result is to be JSON.
     */
    private final class Typewriter {
        private final Tokenizer tokenizer;
        private final long[] ids;
        private final List<Long> tokens = new ArrayList<>();
        private String printed = "";
        private boolean begun;

        Typewriter(Tokenizer tokenizer, long[] ids) {
            this.tokenizer = tokenizer;
            this.ids = ids;
        }

        void type(long token) {
            tokens.add(token);
            if (common.json()) {
                return;
            }
            begin();
            String text = text();
            if (text.startsWith(printed) && !text.endsWith("\ufffd")) {
                console.out().print(text.substring(printed.length()));
                console.out().flush();
                printed = text;
            }
        }

        /** Prints what has not been printed yet. */
        void finish() {
            begin();
            String text = text();
            console.out().println(text.startsWith(printed) ? text.substring(printed.length()) : "");
        }

        /** A message must not stand on the line of the text. */
        void breakLine() {
            if (begun) {
                console.out().println();
                console.out().flush();
            }
        }

        String text() {
            long[] added = tokens.stream().mapToLong(Long::longValue).toArray();
            return Decoding.continuation(tokenizer, ids, added);
        }

        private void begin() {
            if (!begun) {
                begun = true;
                console.out().print(prompt);
            }
        }
    }
}
