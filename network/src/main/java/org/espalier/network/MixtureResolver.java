package org.espalier.network;

import java.util.ArrayList;
import java.util.List;
import org.espalier.network.family.Experts;
import org.espalier.network.family.Setting;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Reads the settings of a mixture of experts. */
final class MixtureResolver {
    /** Bounds what a config.json alone can make of memory; no model comes near it. */
    private static final long MOST_EXPERTS = 10_000;

    private final ObjectNode config;
    private final SettingReader reader;

    MixtureResolver(ObjectNode config, SettingReader reader) {
        this.config = config;
        this.reader = reader;
    }

    Mixture resolve(Experts experts, int blocks) {
        long count = reader.count(experts.count());
        long active = reader.count(experts.active());
        if (count > MOST_EXPERTS) {
            reader.problem(experts.count().key() + " is " + count + ", more than " + MOST_EXPERTS);
        }
        if (active > count) {
            reader.problem(
                    experts.active().key()
                            + " is "
                            + active
                            + " but there are "
                            + count
                            + " experts");
        }
        long first = experts.firstBlock() == null ? 0 : reader.natural(experts.firstBlock());
        long period = reader.countOr(experts.period(), 1);
        long step = reader.countOr(experts.step(), 1);
        List<Long> dense = denseBlocks(experts.denseBlocks());
        List<Boolean> inBlock = new ArrayList<>();
        for (int block = 0; block < blocks; block++) {
            inBlock.add(
                    block >= first
                            && block % period == 0
                            && (block + 1) % step == 0
                            && !dense.contains((long) block));
        }
        return new Mixture(
                experts.scoring() == null ? Experts.Scoring.SOFTMAX : experts.scoring(),
                count,
                active,
                reader.count(experts.intermediate()),
                sharedIntermediate(experts.shared()),
                reader.flag(experts.normalised()),
                experts.factor() == null ? 1 : reader.positive(experts.factor()),
                groups(experts.groups(), count, active),
                inBlock);
    }

    private long sharedIntermediate(Experts.@Nullable Shared shared) {
        if (shared == null) {
            return 0;
        }
        long count = shared.count() == null ? 1 : reader.countOr(shared.count(), 0);
        return count == 0 ? 0 : count * reader.count(shared.intermediate());
    }

    private Mixture.@Nullable Groups groups(
            Experts.@Nullable Groups groups, long experts, long active) {
        if (groups == null || !limited(groups.method())) {
            return null;
        }
        long count = reader.count(groups.count());
        long open = reader.count(groups.active());
        if (experts % count != 0) {
            reader.problem(
                    "%d experts do not divide into %s %d"
                            .formatted(experts, groups.count().key(), count));
            return null;
        }
        long size = experts / count;
        if (groups.rank() == Experts.GroupRank.BEST_TWO && size < 2) {
            reader.problem(
                    "%s %d leaves fewer than 2 experts in a group"
                            .formatted(groups.count().key(), count));
        }
        if (open > count || open * size < active) {
            reader.problem(
                    "%s is %d, but %d experts a token must come from so many of %d groups of %d"
                            .formatted(groups.active().key(), open, active, count, size));
        }
        return new Mixture.Groups(count, open, groups.rank());
    }

    private boolean limited(@Nullable Setting method) {
        if (method == null) {
            return true;
        }
        String name = reader.text(method);
        if (!name.equals("greedy") && !name.equals("group_limited_greedy")) {
            reader.problem(
                    "%s must be greedy or group_limited_greedy but is '%s'"
                            .formatted(method.key(), name));
        }
        return name.equals("group_limited_greedy");
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
