package org.espalier.core.number;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class FiniteJsonTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @Test
    void whatIsNoNumberIsNullAndNamed() {
        ObjectNode tree =
                JSON.valueToTree(
                        Map.of(
                                "a/b",
                                List.of(1.5, Double.NaN, Map.of("c", Float.NEGATIVE_INFINITY))));
        Map<String, String> found = FiniteJson.take(tree);
        assertThat(tree).isEqualTo(JSON.readTree("{\"a/b\": [1.5, null, {\"c\": null}]}"));
        assertThat(found).isEqualTo(Map.of("/a~1b/1", "NaN", "/a~1b/2/c", "-Infinity"));
        tree.set(FiniteJson.KEY, JSON.valueToTree(found));
        FiniteJson.restore(tree);
        assertThat(tree.at("/a~1b/1").doubleValue()).isNaN();
        assertThat(tree.at("/a~1b/2/c").doubleValue()).isNegative().isInfinite();
        assertThat(tree.has(FiniteJson.KEY)).isFalse();
    }

    @Test
    void whatIsFiniteStaysAsItIs() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("x", 1e300);
        value.put("none", null);
        value.put("list", Arrays.asList(1, null, "NaN"));
        ObjectNode tree = JSON.valueToTree(value);
        ObjectNode before = tree.deepCopy();
        assertThat(FiniteJson.take(tree)).isEmpty();
        FiniteJson.restore(tree);
        assertThat(tree).isEqualTo(before);
    }

    @Test
    void aPlaceThatIsNotThereIsLeftAlone() {
        ObjectNode tree =
                (ObjectNode)
                        JSON.readTree(
                                """
                                {"a": [1, null], "notFinite": {"/b/c": "NaN", "/a/7": "NaN", "/a/0": "NaN",
                                 "": "NaN", "b": "NaN", "/a/1": "5", "/a/-": "NaN", "/a/1/x": "NaN"}}
                                """);
        FiniteJson.restore(tree);
        assertThat(tree).isEqualTo(JSON.readTree("{\"a\": [1, null]}"));
    }
}
