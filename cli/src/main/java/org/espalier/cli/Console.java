package org.espalier.cli;

import java.io.PrintStream;
import java.util.Map;
import org.espalier.core.number.FiniteJson;
import org.espalier.core.progress.LineProgress;
import org.espalier.core.progress.Progress;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}.
 *
 * @param out results
 * @param err progress, remarks, errors
 * @param terminal whether {@code err} is a terminal
 */
record Console(PrintStream out, PrintStream err, boolean terminal) {
    /**
     * The console of the process. The launcher filters stderr until this is called (see ./espalier); it also says in
     * {@code espalier.terminal} whether that is a terminal.
     */
    static Console system() {
        KeptStderr.restore();
        ResultStream out = ResultStream.standard();
        System.setOut(out);
        return new Console(out, System.err, Boolean.getBoolean("espalier.terminal"));
    }

    Progress progress() {
        return new LineProgress(err, terminal, System::nanoTime);
    }

    /** Prints one JSON object; numbers that are none are null in it and named at its end. */
    void json(Object value) {
        JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
        JsonNode tree = mapper.valueToTree(value);
        Map<String, String> notFinite = FiniteJson.take(tree);
        if (!notFinite.isEmpty() && tree instanceof ObjectNode object) {
            object.set(FiniteJson.KEY, mapper.valueToTree(notFinite));
        }
        out.println(mapper.writeValueAsString(tree));
    }
}
