package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Json;
import tools.jackson.databind.JsonNode;

/** The chat templates of a checkpoint as llama.cpp's converter writes them: one by default, others under their names. */
final class ChatTemplates {
    private static final String KEY = "tokenizer.chat_template";

    private ChatTemplates() {}

    static Map<String, GgufValue> of(Checkpoint model) {
        Map<String, GgufValue> entries = new LinkedHashMap<>();
        byte[] config = model.sideFile("tokenizer_config.json");
        if (config != null) {
            read(Json.MAPPER.readTree(config).path("chat_template"), entries);
        }
        byte[] file = model.sideFile("chat_template.jinja");
        if (file != null) {
            entries.put(KEY, new GgufValue.Text(GgufValue.decode(file)));
        }
        return entries;
    }

    private static void read(JsonNode templates, Map<String, GgufValue> entries) {
        if (templates.isString()) {
            entries.put(KEY, new GgufValue.Text(templates.asString("")));
        }
        List<String> names = new ArrayList<>();
        if (templates.isArray()) {
            for (JsonNode template : templates) {
                String name = template.path("name").asString("");
                GgufValue text = new GgufValue.Text(template.path("template").asString(""));
                if (name.equals("default")) {
                    entries.put(KEY, text);
                } else if (name.matches("[a-z0-9_]{1,40}") && !names.contains(name)) {
                    names.add(name);
                    entries.put(KEY + "." + name, text);
                }
            }
        }
        if (!names.isEmpty()) {
            entries.put("tokenizer.chat_templates", new GgufValue.Texts(names));
        }
    }
}
