package org.espalier.core.pattern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;

class PatternSyntaxTest {
    @Test
    void whatIsWrittenIsReadBack() {
        for (Pattern pattern :
                new Pattern[] {
                    new Pattern.Unstructured(new Group.Row()),
                    new Pattern.Unstructured(new Group.Global()),
                    new Pattern.NofM(2, 4),
                    new Pattern.NofM(1, 16),
                    new Pattern.Tiles(4, 16, new Group.Layer())
                }) {
            String text = PatternSyntax.describe(pattern);
            Group group =
                    pattern instanceof Pattern.NofM
                            ? new Group.Row()
                            : PatternSyntax.group(PatternSyntax.group(pattern), 128);
            assertThat(PatternSyntax.pattern(text, group)).isEqualTo(pattern);
        }
    }

    @Test
    void whatIsNoPatternIsRefused() {
        for (String text :
                new String[] {
                    "", "2:", "5:4", "0:4", "1:1", "0x4", "structured", "2:4:8", "99999:99999"
                }) {
            assertThatThrownBy(() -> PatternSyntax.pattern(text, new Group.Row()))
                    .as(text)
                    .isInstanceOf(UserError.class);
        }
        assertThatThrownBy(() -> PatternSyntax.group("column", 1)).isInstanceOf(UserError.class);
    }
}
