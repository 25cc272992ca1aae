package org.espalier.core.number;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlainNumberTest {
    @ParameterizedTest
    @CsvSource({
        "0.5, 0.5",
        ".5, 0.5",
        "5e-1, 0.5",
        "5.E-1, 0.5",
        "+0.5, 0.5",
        "-2, -2",
        "0, 0",
        "-0.0, -0.0",
        "0e5, 0",
        "1E3, 1000",
        "4.9e-324, 4.9e-324"
    })
    void decimalsAreNumbers(String text, double value) {
        assertThat(PlainNumber.real(text)).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "e5",
                "0,5",
                "50%",
                "1_000",
                "0x10",
                "0o10",
                "010",
                "00.5",
                "1:30",
                "NaN",
                ".nan",
                ".inf",
                "Infinity",
                "0.5f",
                "0.5d",
                "0x1p3",
                " 0.5",
                "0.5 ",
                "1e999",
                "1e-999",
                "1e9999999999",
                "½",
                "٠٫٥",
                "0.5.1",
                "--1",
                "1e1e1"
            })
    void whatSomeReadOtherwiseIsNoNumber(String text) {
        assertThat(PlainNumber.real(text)).isNull();
        assertThat(PlainNumber.whole(text)).isNull();
    }

    @Test
    void wholeNumbersHaveNoPointAndFitALong() {
        assertThat(PlainNumber.whole("-17")).isEqualTo(-17);
        assertThat(PlainNumber.whole("999999999999999999")).isEqualTo(999_999_999_999_999_999L);
        assertThat(PlainNumber.whole("8.0")).isNull();
        assertThat(PlainNumber.whole("1e3")).isNull();
        assertThat(PlainNumber.whole("1" + "0".repeat(18))).isNull();
        assertThat(PlainNumber.whole("1" + "0".repeat(1_000_000))).isNull();
        assertThat(PlainNumber.real("1" + "0".repeat(1_000_000))).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0,5 | ; with a decimal point that is 0.5",
                "-,5 | ; with a decimal point that is -.5",
                "50% | ; for 50% write 0.5",
                "12,5 % | ; for 12,5 % write 0.125"
            })
    void whatWasMeantIsSaid(String text, String hint) {
        assertThat(PlainNumber.hint(text)).isEqualTo(hint);
    }

    @Test
    void whatIsUnclearGetsNoHint() {
        assertThat(PlainNumber.hint("half")).isEmpty();
        assertThat(PlainNumber.hint("1,000,000")).isEmpty();
    }
}
