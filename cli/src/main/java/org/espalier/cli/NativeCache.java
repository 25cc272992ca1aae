package org.espalier.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * The folder that libtorch, OpenBLAS and the tokenizers library are unpacked into at the first start. The libraries look
 * at the home folder and the folder for temporary files only, and end in a stack trace where neither takes them; here the
 * first of several folders is chosen that can be written, has the room, and lets code be run from it.
 */
final class NativeCache {
    /** Names the folder; where it is set, no other is tried. */
    static final String VARIABLE = "ESPALIER_CACHE";

    private static final String JAVACPP = "org.bytedeco.javacpp.cachedir";
    private static final String DJL = "ENGINE_CACHE_DIR";

    /** What libtorch and OpenBLAS take when they are unpacked (466 MB on Linux, x86-64), and a little more. */
    private static final long ROOM = 500_000_000;

    /** The same for the tokenizers library (15 MB). */
    private static final long ROOM_OF_TOKENIZERS = 20_000_000;

    /** With this part of the room taken, a folder has been filled by an earlier start. */
    private static final double FILLED = 0.2;

    private static boolean prepared;

    private NativeCache() {}

    /**
     * A pair of folders.
     *
     * @param javacpp for libtorch and OpenBLAS
     * @param djl for the tokenizers library
     */
    record Candidate(Path javacpp, Path djl) {
        static Candidate under(Path folder) {
            return new Candidate(folder.resolve("javacpp"), folder.resolve("djl"));
        }
    }

    /**
     * Chooses the folder, once, before the first library loads.
     *
     * @throws UserError where no folder will do
     */
    static synchronized void prepare() {
        if (prepared) {
            return;
        }
        if (System.getProperty(JAVACPP) == null) {
            Candidate chosen = choose(System.getenv(), System.getProperty("java.io.tmpdir"));
            System.setProperty(JAVACPP, chosen.javacpp().toString());
            if (System.getProperty(DJL) == null && System.getenv("DJL_CACHE_DIR") == null) {
                System.setProperty(DJL, chosen.djl().toString());
            }
        }
        prepared = true;
    }

    /** The folder in use, for messages. */
    static String folder() {
        return String.valueOf(System.getProperty(JAVACPP));
    }

    /**
     * The first pair of folders that will do.
     *
     * @param temporary the folder for temporary files, or null
     * @throws UserError where none will
     */
    static Candidate choose(Map<String, String> environment, @Nullable String temporary) {
        List<String> refusals = new ArrayList<>();
        String own = environment.get(VARIABLE);
        List<Candidate> candidates =
                own != null && !own.isEmpty()
                        ? List.of(Candidate.under(Path.of(own).toAbsolutePath()))
                        : candidates(environment, temporary);
        for (Candidate candidate : candidates) {
            Optional<String> refusal =
                    refusal(candidate.javacpp(), ROOM)
                            .or(() -> refusal(candidate.djl(), ROOM_OF_TOKENIZERS));
            if (refusal.isEmpty()) {
                return candidate;
            }
            refusals.add(refusal.get());
        }
        throw new UserError(
                "there is no folder to unpack the native libraries into ("
                        + String.join("; ", refusals)
                        + "): name one with the environment variable "
                        + VARIABLE
                        + ", on a disk with "
                        + Words.bytes(ROOM)
                        + " free that programs may be run from");
    }

    private static List<Candidate> candidates(
            Map<String, String> environment, @Nullable String temporary) {
        List<Candidate> candidates = new ArrayList<>();
        absolute(environment.get("XDG_CACHE_HOME"))
                .ifPresent(cache -> candidates.add(Candidate.under(cache.resolve("espalier"))));
        // Where the libraries put themselves when nobody tells them otherwise.
        absolute(System.getProperty("user.home"))
                .ifPresent(home ->
                        candidates.add(
                                new Candidate(
                                        home.resolve(".javacpp/cache"), home.resolve(".djl.ai"))));
        absolute(environment.get("HOME"))
                .ifPresent(
                        home -> candidates.add(Candidate.under(home.resolve(".cache/espalier"))));
        absolute(temporary)
                .map(folder -> folder.resolve("espalier-" + System.getProperty("user.name")))
                .filter(NativeCache::isOurs)
                .ifPresent(folder -> candidates.add(Candidate.under(folder)));
        absolute(System.getProperty("espalier.home"))
                .ifPresent(
                        home -> candidates.add(Candidate.under(home.resolve("cli/target/native"))));
        return candidates;
    }

    private static Optional<Path> absolute(@Nullable String path) {
        try {
            return Optional.ofNullable(path).map(Path::of).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** In a folder that everybody can write to, a stranger could have put libraries under our name. */
    private static boolean isOurs(Path folder) {
        try {
            return !Files.exists(folder, LinkOption.NOFOLLOW_LINKS)
                    || (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                            && Files.getOwner(folder)
                                    .getName()
                                    .equals(System.getProperty("user.name")));
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Why a folder cannot take the libraries; empty where it can. */
    static Optional<String> refusal(Path folder, long room) {
        try {
            Files.createDirectories(folder);
            Path probe = Files.createTempFile(folder, "probe", null);
            try {
                Files.write(probe, new byte[4096]);
                if (!ExecutableMapping.isAllowed(probe)) {
                    return Optional.of(folder + " forbids that code is run from it");
                }
            } finally {
                Files.deleteIfExists(probe);
            }
            if (Files.getFileStore(folder).getUsableSpace() < room && !isFilled(folder, room)) {
                return Optional.of(folder + " has too little room");
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(folder + " cannot be written");
        }
    }

    /** Whether an earlier start has unpacked the libraries there. */
    static boolean isFilled(Path folder, long room) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes >= FILLED * room;
    }
}
