package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.espalier.network.family.Setting;
import org.espalier.network.family.SlidingWindow;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads which blocks see only the last tokens, and how many. */
final class WindowResolver {
    private final ObjectNode config;
    private final SettingReader reader;

    WindowResolver(ObjectNode config, SettingReader reader) {
        this.config = config;
        this.reader = reader;
    }

    /** For each block the number of tokens that it sees, or {@link DecoderConfig#NO_WINDOW}. */
    List<Long> resolve(@Nullable SlidingWindow sliding, int blocks) {
        long window = sliding == null ? DecoderConfig.NO_WINDOW : width(sliding);
        List<Long> windows = new ArrayList<>();
        if (sliding == null || window == DecoderConfig.NO_WINDOW) {
            for (int block = 0; block < blocks; block++) {
                windows.add(DecoderConfig.NO_WINDOW);
            }
            return windows;
        }
        long first = sliding.firstBlock() == null ? 0 : reader.natural(sliding.firstBlock());
        long end = sliding.endBlock() == null ? blocks : reader.natural(sliding.endBlock());
        long pattern = reader.countOr(sliding.pattern(), Long.MAX_VALUE);
        JsonNode types = layerTypes(sliding.layerTypes(), blocks);
        for (int block = 0; block < blocks; block++) {
            boolean slides =
                    types == null
                            ? block >= first
                                    && block < end
                                    && !(sliding.alternating() && block % 2 != 0)
                                    && (block + 1) % pattern != 0
                            : types.get(block).asString("").equals("sliding_attention");
            windows.add(slides ? window : DecoderConfig.NO_WINDOW);
        }
        return windows;
    }

    private long width(SlidingWindow sliding) {
        boolean off = sliding.enabled() != null && !reader.flag(sliding.enabled());
        return off
                ? DecoderConfig.NO_WINDOW
                : reader.countOr(sliding.window(), DecoderConfig.NO_WINDOW);
    }

    private @Nullable JsonNode layerTypes(@Nullable Setting setting, int blocks) {
        JsonNode types = setting == null ? null : config.get(setting.key());
        if (types == null || types.isNull()) {
            return null;
        }
        boolean known = types.isArray() && types.size() == blocks;
        for (JsonNode type : types) {
            String name = type.asString("");
            known &= name.equals("full_attention") || name.equals("sliding_attention");
        }
        if (!known) {
            reader.problem(
                    "layer_types must be a list of "
                            + blocks
                            + " entries full_attention or sliding_attention");
            return null;
        }
        return types;
    }
}
