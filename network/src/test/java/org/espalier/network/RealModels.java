package org.espalier.network;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Real models and texts that are not part of the repository; tests skip where they are absent. */
final class RealModels {
    private RealModels() {}

    /** A file or folder under the data folder, which ESPALIER_DATA names or which lies beside the project. */
    static Path find(String name) {
        String given = System.getenv("ESPALIER_DATA");
        Path data =
                given != null
                        ? Path.of(given)
                        : Path.of(
                                        Objects.requireNonNullElse(
                                                System.getProperty("espalier.root"), ".."))
                                .resolve("../shared/data");
        Path path = data.resolve(name);
        assumeTrue(
                Files.exists(path), () -> "no " + path + "; set ESPALIER_DATA to the data folder");
        return path;
    }
}
