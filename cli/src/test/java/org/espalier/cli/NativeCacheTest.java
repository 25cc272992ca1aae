package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the native libraries are unpacked, on machines that lack this or that. */
class NativeCacheTest {
    @TempDir Path folder;

    @Test
    void aFolderThatCanBeMadeWillDoAndStaysEmpty() throws IOException {
        Path fresh = folder.resolve("a/b");
        assertThat(NativeCache.refusal(fresh, 1)).isEmpty();
        assertThat(fresh).isEmptyDirectory();
    }

    @Test
    void whatCannotTakeALibraryIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        assertThat(NativeCache.refusal(file.resolve("below"), 1))
                .contains(file.resolve("below") + " cannot be written");
        assertThat(NativeCache.refusal(folder, Long.MAX_VALUE))
                .contains(folder + " has too little room");
    }

    @Test
    void aFolderThatIsFullOfTheLibrariesNeedsNoRoom() throws IOException {
        Files.write(Files.createDirectories(folder.resolve("deep")).resolve("lib.so"), new byte[9]);
        assertThat(NativeCache.isFilled(folder, 10)).isTrue();
        assertThat(NativeCache.isFilled(folder, 100)).isFalse();
    }

    @Test
    void theFirstFolderThatWillDoIsTaken() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        Path home = folder.resolve("home");
        Map<String, String> poor =
                Map.of("XDG_CACHE_HOME", file.toString(), "HOME", home.toString());
        String before = System.setProperty("user.home", file.toString());
        try {
            assertThat(NativeCache.choose(poor, file.toString()).javacpp())
                    .isEqualTo(home.resolve(".cache/espalier/javacpp"));
            Map<String, String> none = Map.of("HOME", "?", "XDG_CACHE_HOME", "relative");
            assertThat(NativeCache.choose(none, folder.toString()).javacpp().toString())
                    .startsWith(folder.resolve("espalier-").toString());
        } finally {
            System.setProperty("user.home", before);
        }
    }

    @Test
    void theFolderThatWasNamedIsTheOnlyOne() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        Map<String, String> named =
                Map.of(NativeCache.VARIABLE, file.toString(), "HOME", folder.toString());
        assertThatThrownBy(() -> NativeCache.choose(named, folder.toString()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(file + "/javacpp cannot be written")
                .hasMessageContaining(NativeCache.VARIABLE);
    }
}
