package org.espalier.core.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.core.UserError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class StrictYamlTest {
    @Test
    void plainYamlIsReadAsItStands() {
        assertThat(
                        StrictYaml.read(
                                "a.yaml",
                                """
                                # a remark
                                name: mine
                                half: 0.5
                                count: 7
                                long: 9999999999
                                on: true
                                off: False
                                nothing: null
                                pattern: 2:4
                                quoted: "0.5"
                                empty: ''
                                words: a line
                                  that goes on   # and a remark
                                literal: |
                                  two
                                  lines
                                map: {a: [1, x, {b: 2}], c: 'd'}
                                """))
                .isEqualTo(
                        json(
                                """
                                {"name": "mine", "half": 0.5, "count": 7, "long": 9999999999, "on": true,
                                 "off": false, "nothing": null, "pattern": "2:4", "quoted": "0.5",
                                 "empty": "", "words": "a line that goes on", "literal": "two\\nlines\\n",
                                 "map": {"a": [1, "x", {"b": 2}], "c": "d"}}
                                """));
    }

    @Test
    void aByteOrderMarkAndLineEndsOfWindowsChangeNothing() {
        assertThat(StrictYaml.read("a.yaml", "\ufeffa: 1\r\nb: x\r\n"))
                .isEqualTo(json("{\"a\": 1, \"b\": \"x\"}"));
    }

    @ParameterizedTest
    @CsvSource({
        "010",
        "0o10",
        "0x10",
        "1_000",
        "1:30",
        "yes",
        "No",
        "on",
        ".nan",
        ".inf",
        "'0,5'",
        "50%",
        "2026-11-29",
        "1e999"
    })
    void whatReadersDisagreeOnIsText(String word) {
        assertThat(StrictYaml.read("a.yaml", "a: " + word).path("a").isString()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{a: 0,5}             | a.yaml: line 1: 5 has no value; give it one or leave it"
                        + " out; the comma before it ends a: 0: write a number with a decimal point",
                "{a: 1, b}            | b has no value",
                "a: {b: }             | a.b has no value",
                "a:                   | a has no value",
                "{a: 1, a: 2}         | a is given twice",
                "a: &x 1              | a has an anchor (&)",
                "{a: 1, b: *a}        | b is an alias (*)",
                "{<<: *a, b: 2}       | << is an alias",
                "a: !!int '5'         | a has a tag",
                "a: !x {b: 1}         | a has a tag",
                "[1, 2]               | must be a map",
                "word                 | must be a map",
                "{[1]: 2}             | key that is no word",
                "{'': 2}              | key that is no word",
                "a: [1, , 2]          | not valid YAML",
                "a: [1, '', ~, ]      | *",
                "{a: [                | not valid YAML",
                "a: 'x                | not valid YAML"
            })
    void whatSaysSomethingElseThanItSeemsIsRefused(String yaml, String message) {
        if (message.equals("*")) {
            assertThat(StrictYaml.read("a.yaml", yaml)).isEqualTo(json("{\"a\": [1, \"\", null]}"));
            return;
        }
        refused(yaml, message);
    }

    @Test
    void oneDocumentIsInAFile() {
        refused("a: 1\n---\na: 2\n", "line 2: a second document");
        refused("%YAML 1.1\n---\na: 1\n", "directive");
        refused("a: 1\n...\ntrailing\n", "a.yaml");
        refused("a:\n\tb: 1\n", "at line 2: ");
        refused("a: 1\n\u0000", "not valid YAML");
        refused("", "must be a map");
        refused("# nothing\n", "must be a map");
        refused("a: " + "[".repeat(100_000), "deep");
        refused("a: " + "[".repeat(50) + "]".repeat(50), "deep");
    }

    private static void refused(String yaml, String message) {
        assertThatThrownBy(() -> StrictYaml.read("a.yaml", yaml))
                .isInstanceOf(UserError.class)
                .hasMessageStartingWith("a.yaml")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }
}
