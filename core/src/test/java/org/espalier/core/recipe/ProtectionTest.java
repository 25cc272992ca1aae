package org.espalier.core.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProtectionTest {
    private static final String DOWN = "model.layers.12.mlp.down_proj";

    @ParameterizedTest
    @CsvSource({
        "*.down, true",
        "*.down_proj, true",
        "*down*, true",
        "model.layers.12.*, true",
        "model.layers.1.*, false",
        "model.layers.1?.mlp.down_proj, true",
        "*.mlp.*.down_proj, false",
        "blocks.12, true",
        "blocks.1, false",
        "blocks.0-11, false",
        "blocks.12-12, true",
        "blocks.10-20.down, true",
        "blocks.10-20.down_proj, true",
        "blocks.10-20.up, false",
        "blocks.*.down, true",
        "blocks.*.up, false",
        "*, true",
        "down, false",
        DOWN + ", true",
        "model.layers.12.mlp.down, false",
        "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b, false"
    })
    void patternsFitNames(String pattern, boolean fits) {
        assertThat(Protection.fits(pattern, DOWN, 12, "down")).isEqualTo(fits);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "blocks.3-1", "[ab]", "a,b", "/x"})
    void whatIsNoPatternIsRefused(String pattern) {
        assertThatThrownBy(() -> new Protection(List.of(pattern)))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("'" + pattern + "'");
    }

    @Test
    void aRecipeNamesItsProtectedMatrices() {
        assertThat(read("protect: ['*.down', blocks.0-1]").protect().patterns())
                .containsExactly("*.down", "blocks.0-1");
        assertThat(read("protect: '*.down'").protect().patterns()).containsExactly("*.down");
        assertThat(read("variant: paper").protect()).isEqualTo(Protection.NONE);
        assertThatThrownBy(() -> read("protect: ['*.down', 3, 'a b']"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("protect[1]: must be a pattern of names")
                .hasMessageContaining("protect[2]: 'a b' is no pattern of names");
    }

    private static Recipe read(String line) {
        return RecipeReader.read("test", "name: test\nscore: magnitude\n" + line + "\n");
    }
}
