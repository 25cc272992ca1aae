package org.espalier.prune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeBookTest {
    private final RecipeBook book = RecipeBook.shipped();

    @Test
    void everyShippedRecipeIsSoundAndCalledAsItsFile() {
        assertThat(book.names())
                .contains("magnitude", "wanda", "ria", "sparsegpt", "alps", "dsnot");
        for (String name : book.names()) {
            assertThat(book.recipe(name).name()).isEqualTo(name);
            assertThat(book.recipe(name).summary()).as(name).endsWith(".");
            Method.of(book.recipe(name));
        }
    }

    @Test
    void faultsOfTheTextAndOfItsPartsAreReportedTogether(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("mine.yaml");
        Files.writeString(
                file,
                "name: mine\nscore: wnada\nsolver: {method: sparsegpt, blok: 3}\nselect: {sparsity: 2}\n");
        assertThatThrownBy(() -> book.recipe(file.toString()))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("select.sparsity")
                .hasMessageContaining("unknown method 'wnada'")
                .hasMessageContaining("solver.blok: unknown parameter");
    }

    @Test
    void whatIsNoRecipeIsSaidInOneLine(@TempDir Path folder) throws IOException {
        Path binary = folder.resolve("binary.yaml");
        Files.write(binary, new byte[] {(byte) 0xC3, 0x28, 0});
        Path large = folder.resolve("large.yaml");
        Files.write(large, new byte[2 << 20]);
        for (String wrong :
                new String[] {
                    "wnada",
                    "no/such.yaml",
                    "no-such.yaml",
                    folder.toString(),
                    binary.toString(),
                    large.toString()
                }) {
            assertThatThrownBy(() -> book.recipe(wrong))
                    .as(wrong)
                    .isInstanceOf(UserError.class)
                    .hasMessageNotContaining("\n");
        }
    }
}
