package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.espalier.network.family.Family;
import org.espalier.network.family.Family.Setting;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the settings of a mixture of experts. */
final class MixtureResolver {
    private final ObjectNode config;
    private final SettingReader reader;

    MixtureResolver(ObjectNode config, SettingReader reader) {
        this.config = config;
        this.reader = reader;
    }

    Mixture resolve(Family.Experts experts, int blocks) {
        long count = reader.count(experts.count());
        long active = reader.count(experts.active());
        if (active > count) {
            reader.problem(
                    experts.active().key()
                            + " is "
                            + active
                            + " but there are "
                            + count
                            + " experts");
        }
        long step = reader.countOr(experts.step(), 1);
        List<Long> dense = denseBlocks(experts.denseBlocks());
        List<Boolean> inBlock = new ArrayList<>();
        for (int block = 0; block < blocks; block++) {
            inBlock.add((block + 1) % step == 0 && !dense.contains((long) block));
        }
        Family.SharedExpert shared = experts.shared();
        return new Mixture(
                count,
                active,
                reader.count(experts.intermediate()),
                shared == null ? 0 : reader.count(shared.intermediate()),
                reader.flag(experts.normalised()),
                inBlock);
    }

    private List<Long> denseBlocks(@Nullable Setting setting) {
        JsonNode list = setting == null ? null : config.get(setting.key());
        List<Long> blocks = new ArrayList<>();
        if (setting == null || list == null || list.isNull()) {
            return blocks;
        }
        boolean known = list.isArray();
        for (JsonNode block : list) {
            known &= block.isIntegralNumber();
            blocks.add(block.asLong(-1));
        }
        if (!known) {
            reader.problem(setting.key() + " must be a list of block numbers but is " + list);
        }
        return blocks;
    }
}
