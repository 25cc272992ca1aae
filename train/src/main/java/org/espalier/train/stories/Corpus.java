package org.espalier.train.stories;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.Map;
import org.espalier.core.UserError;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Writes training texts of stories to a file. */
public final class Corpus {
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    private Corpus() {}

    /**
     * Writes {@code count} stories, one at a time. The file appears under its name only when it is whole.
     *
     * @param file ends in .jsonl (one {@code {"text": ...}} per line) or .txt (texts with an empty line between them)
     * @throws UserError when the name ends otherwise or nothing is asked for
     */
    public static void write(Path file, long seed, long firstIndex, long count) throws IOException {
        String name = String.valueOf(file.getFileName());
        boolean lines = name.endsWith(".jsonl");
        if (!lines && !name.endsWith(".txt")) {
            throw new UserError(
                    "cannot write stories to "
                            + file
                            + ": name a file that ends in .jsonl or .txt");
        }
        if (count < 1 || firstIndex < 0) {
            throw new UserError(
                    "cannot write "
                            + count
                            + " stories from number "
                            + firstIndex
                            + ": ask for at least one story, from number 0 or later");
        }
        Path partial = file.resolveSibling(name + ".partial");
        try (BufferedWriter writer = Files.newBufferedWriter(partial)) {
            Iterator<Story> stories = new StoryTeller(seed).stories(firstIndex, count).iterator();
            while (stories.hasNext()) {
                String text = stories.next().trainingText();
                writer.write(lines ? JSON.writeValueAsString(Map.of("text", text)) : text + "\n");
                writer.write('\n');
            }
        }
        Files.move(
                partial, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
