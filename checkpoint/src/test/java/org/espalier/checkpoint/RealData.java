package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds the real files that tests may use where they exist. */
final class RealData {
    private RealData() {}

    /** A path under the data folder; the calling test is skipped with a message where it is absent. */
    static Path path(String name) {
        String folder = System.getenv("ESPALIER_DATA");
        Path data =
                folder != null
                        ? Path.of(folder)
                        : Path.of(System.getProperty("espalier.root", ".."))
                                .resolve("../shared/data");
        Path path = data.resolve(name);
        Assumptions.assumeTrue(Files.exists(path), "skipped: no real data at " + path);
        return path;
    }
}
