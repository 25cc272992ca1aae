package org.espalier.core.yaml;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.espalier.core.UserError;
import org.espalier.core.number.PlainNumber;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One map of keys in YAML, without what makes YAML say something else than it seems to: a key without a value (which
 * {@code {sparsity: 0,5}} has, for its comma begins another key), a key twice, anchors and aliases, tags, directives and
 * further documents are refused with their line. A word is true, false, null or a {@link PlainNumber} only where no reader
 * of YAML takes it for something else; any other word, and whatever is in quotes, is text.
 */
public final class StrictYaml {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** Deeper than any file of this project, far from what harms a parser. */
    private static final int DEEPEST = 32;

    private final String source;
    private final Iterator<Event> events;

    private StrictYaml(String source, Iterator<Event> events) {
        this.source = source;
        this.events = events;
    }

    /**
     * Reads a map.
     *
     * @param source what the user calls the text, for messages
     * @param yaml the text, a byte-order mark included
     * @throws UserError if the text is no map, or not one in which everything is what it seems
     */
    public static ObjectNode read(String source, String yaml) {
        String text = yaml.startsWith("\ufeff") ? yaml.substring(1) : yaml;
        LoadSettings settings =
                LoadSettings.builder()
                        .setLabel(source)
                        .setCodePointLimit(text.length() + 1)
                        .build();
        try {
            return new StrictYaml(source, new Parse(settings).parseString(text).iterator())
                    .document();
        } catch (MarkedYamlEngineException e) {
            String problem = e.getProblem() == null ? "unreadable" : e.getProblem();
            throw new UserError(
                    source
                            + ": not valid YAML"
                            + at(e.getProblemMark())
                            + ": "
                            + problem.strip().replaceAll("\\s+", " "),
                    e);
        } catch (YamlEngineException | NoSuchElementException e) {
            String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new UserError(source + ": not valid YAML: " + first, e);
        }
    }

    private ObjectNode document() {
        events.next();
        Event event = events.next();
        if (event instanceof DocumentStartEvent start
                && (start.getSpecVersion().isPresent() || !start.getTags().isEmpty())) {
            throw fault(event, "begins with a directive; leave the line with % out");
        }
        Event first = event instanceof DocumentStartEvent ? events.next() : event;
        if (!(first instanceof MappingStartEvent)) {
            throw new UserError(
                    source + ": must be a map of keys with their values, such as name: mine");
        }
        ObjectNode map = (ObjectNode) node(first, "", 0);
        events.next();
        Event after = events.next();
        if (after instanceof DocumentStartEvent) {
            throw fault(after, "a second document begins here; leave one in a file");
        }
        return map;
    }

    private JsonNode node(Event event, String path, int depth) {
        if (event instanceof AliasEvent) {
            throw fault(event, named(path) + "is an alias (*); write out what it stands for");
        }
        if (depth > DEEPEST) {
            throw fault(event, "is nested more than " + DEEPEST + " deep");
        }
        if (event instanceof NodeEvent anchored && anchored.getAnchor().isPresent()) {
            throw fault(event, named(path) + "has an anchor (&); leave it out");
        }
        return switch (event) {
            case MappingStartEvent map -> {
                untagged(map, map.getTag(), path);
                yield map(path, depth);
            }
            case SequenceStartEvent list -> {
                untagged(list, list.getTag(), path);
                yield list(path, depth);
            }
            case ScalarEvent scalar -> {
                untagged(scalar, scalar.getTag(), path);
                yield scalar(scalar, path);
            }
            default -> throw fault(event, "holds something that is no value");
        };
    }

    private ObjectNode map(String path, int depth) {
        ObjectNode map = NODES.objectNode();
        String before = "";
        for (Event event = events.next();
                !(event instanceof MappingEndEvent);
                event = events.next()) {
            if (!(event instanceof ScalarEvent word) || word.getValue().isEmpty()) {
                throw fault(event, named(path) + "has a key that is no word");
            }
            node(word, path, depth + 1);
            String key = word.getValue();
            String keyPath = path.isEmpty() ? key : path + "." + key;
            Event value = events.next();
            if (value instanceof ScalarEvent scalar
                    && scalar.isPlain()
                    && scalar.getValue().isEmpty()) {
                throw fault(
                        value,
                        clip(keyPath)
                                + " has no value; give it one or leave it out"
                                + commaHint(before, key));
            }
            if (map.has(key)) {
                throw fault(event, clip(keyPath) + " is given twice");
            }
            JsonNode node = node(value, keyPath, depth + 1);
            map.set(key, node);
            before = key + ": " + node.asString("");
        }
        return map;
    }

    /** A comma in a map in braces begins another key. */
    private static String commaHint(String before, String key) {
        return PlainNumber.whole(key.strip()) == null && !key.matches("[0-9]+%?")
                ? ""
                : "; the comma before it ends "
                        + clip(before)
                        + ": write a number with a decimal point";
    }

    private ArrayNode list(String path, int depth) {
        ArrayNode list = NODES.arrayNode();
        for (Event event = events.next();
                !(event instanceof SequenceEndEvent);
                event = events.next()) {
            list.add(node(event, path, depth + 1));
        }
        return list;
    }

    private JsonNode scalar(ScalarEvent scalar, String path) {
        String text = scalar.getValue();
        if (!scalar.isPlain()) {
            return NODES.stringNode(text);
        }
        Long whole = PlainNumber.whole(text);
        if (whole != null) {
            return whole == whole.intValue()
                    ? NODES.numberNode(whole.intValue())
                    : NODES.numberNode(whole.longValue());
        }
        Double real = PlainNumber.real(text);
        if (real != null) {
            return NODES.numberNode(real.doubleValue());
        }
        return switch (text) {
            case "true", "True", "TRUE" -> NODES.booleanNode(true);
            case "false", "False", "FALSE" -> NODES.booleanNode(false);
            case "null", "Null", "NULL", "~" -> NODES.nullNode();
            case "" -> throw fault(scalar, named(path) + "has an empty entry");
            default -> NODES.stringNode(text);
        };
    }

    private void untagged(Event event, Optional<String> tag, String path) {
        if (tag.isPresent()) {
            throw fault(event, named(path) + "has a tag (" + clip(tag.get()) + "); leave it out");
        }
    }

    private UserError fault(Event event, String message) {
        String where =
                event.getStartMark().map(mark -> "line " + (mark.getLine() + 1) + ": ").orElse("");
        return new UserError(source + ": " + where + message);
    }

    private static String named(String path) {
        return path.isEmpty() ? "the file " : clip(path) + " ";
    }

    private static String at(Optional<Mark> mark) {
        return mark.map(where -> " at line " + (where.getLine() + 1)).orElse("");
    }

    private static String clip(@Nullable String text) {
        String line = String.valueOf(text).replaceAll("\\s+", " ");
        return line.length() <= 80 ? line : line.substring(0, 77) + "...";
    }
}
