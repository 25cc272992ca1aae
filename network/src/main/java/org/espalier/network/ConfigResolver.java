package org.espalier.network;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.network.family.Family;
import org.espalier.network.family.Setting;
import org.espalier.network.family.Settings;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.ObjectNode;

/** Turns a config.json into a {@link DecoderConfig}; reads everything before it complains about anything. */
final class ConfigResolver {
    private static final long MOST_BLOCKS = 10_000;

    private final ObjectNode config;
    private final SettingReader reader;

    ConfigResolver(ObjectNode config) {
        this.config = config;
        this.reader = new SettingReader(config);
    }

    DecoderConfig resolve(Family family) {
        refuseWhatIsNotImplemented(family);

        Settings settings = family.settings();
        long vocabulary = reader.count(settings.vocabulary());
        long hidden = reader.count(settings.hidden());
        long blocks = reader.count(settings.blocks());
        if (blocks > MOST_BLOCKS) {
            reader.problem(
                    settings.blocks().key() + " is " + blocks + ", more than " + MOST_BLOCKS);
            blocks = 1;
        }
        long intermediate = reader.countOr(settings.intermediate(), 4 * hidden);
        long heads = reader.count(settings.heads());
        long kvHeads = reader.countOr(settings.kvHeads(), heads);
        if (heads % kvHeads != 0) {
            reader.problem(
                    settings.heads().key()
                            + " "
                            + heads
                            + " is not a multiple of "
                            + kvHeads
                            + " key-value heads");
        }
        Latent latent = family.latent() == null ? null : latent(family.latent(), heads, kvHeads);
        long headDim =
                latent == null
                        ? headDim(family, hidden, heads)
                        : latent.plainWidth() + latent.rotaryWidth();
        double epsilon = reader.positive(settings.epsilon());
        Activation activation = activation(settings.activation());
        long maxPositions = reader.count(settings.maxPositions());
        Rope rope = null;
        Rope localRope = null;
        long rotaryWidth = 0;
        double growth = 1;
        if (family.positions() == Family.Positions.ROPE) {
            RopeResolver ropes = new RopeResolver(config, reader, settings, maxPositions);
            rotaryWidth =
                    latent == null ? (long) (headDim * ropes.rotatedPart()) : latent.rotaryWidth();
            if (rotaryWidth % 2 != 0 || rotaryWidth == 0) {
                reader.problem("rotary positions need an even head width but it is " + rotaryWidth);
            }
            rope = ropes.resolve(rotaryWidth);
            localRope = ropes.local(rope, rotaryWidth);
            growth = latent == null ? 1 : ropes.latentGrowth();
        }
        List<Long> windows =
                new WindowResolver(config, reader).resolve(family.slidingWindow(), (int) blocks);
        boolean tied = reader.flag(settings.tied());
        Switches switches = switches(family, hidden, headDim, growth);
        Mixture mixture =
                family.experts() == null
                        ? null
                        : new MixtureResolver(config, reader)
                                .resolve(family.experts(), (int) blocks);
        Map<String, Boolean> biases = biases(family);
        List<Long> bos = ids("bos_token_id", vocabulary);
        List<Long> eos = ids("eos_token_id", vocabulary);
        reader.throwProblems();
        return new DecoderConfig(
                family,
                vocabulary,
                hidden,
                intermediate,
                (int) blocks,
                heads,
                kvHeads,
                headDim,
                epsilon,
                activation,
                rope,
                localRope,
                rotaryWidth,
                maxPositions,
                windows,
                tied,
                switches,
                latent,
                mixture,
                biases,
                bos.isEmpty() ? null : bos.getFirst(),
                eos);
    }

    private void refuseWhatIsNotImplemented(Family family) {
        JsonNode quantization = config.get("quantization_config");
        if (quantization != null && !quantization.isNull() && !quantization.isEmpty()) {
            reader.problem("quantization_config: quantized weights cannot be opened as a network");
        }
        JsonNode perLayer = config.get("per_layer_config");
        if (perLayer != null && !perLayer.isNull() && !perLayer.isEmpty()) {
            reader.problem("per_layer_config: blocks of different shapes are not supported");
        }
        family.fixed()
                .forEach((key, only) -> {
                    JsonNode value = config.get(key);
                    if (value != null && !value.isNull() && !value.equals(only)) {
                        reader.problem(key + " must be " + only + " but is " + value);
                    }
                });
    }

    private Latent latent(Family.Latent names, long heads, long kvHeads) {
        if (kvHeads != heads) {
            reader.problem(
                    "latent attention has as many key-value heads as heads, "
                            + heads
                            + ", but config.json says "
                            + kvHeads);
        }
        return new Latent(
                reader.countOr(names.queryRank(), 0),
                reader.count(names.keyValueRank()),
                reader.count(names.plainWidth()),
                reader.count(names.rotaryWidth()),
                reader.count(names.valueWidth()),
                reader.flagOr(names.interleaved(), true));
    }

    private long headDim(Family family, long hidden, long heads) {
        long given = reader.countOr(family.settings().headDim(), 0);
        if (given > 0) {
            return given;
        }
        if (hidden % heads != 0) {
            reader.problem(
                    family.settings().hidden().key()
                            + " "
                            + hidden
                            + " is not a multiple of "
                            + heads
                            + " heads");
            return 1;
        }
        return hidden / heads;
    }

    private Activation activation(Setting setting) {
        String name = reader.text(setting);
        Activation activation = Activation.named(name);
        if (activation == null) {
            reader.problem(
                    setting.key()
                            + " '"
                            + name
                            + "' is not supported; known are "
                            + String.join(", ", Activation.known()));
            return Activation.SILU;
        }
        return activation;
    }

    private Switches switches(Family family, long hidden, long headDim, double growth) {
        Settings settings = family.settings();
        Double scalar = reader.positiveOrNull(settings.queryScalar());
        long width = reader.countOr(settings.embeddingWidth(), hidden);
        boolean normFirst = reader.flagOr(settings.normFirst(), true);
        boolean parallel = reader.flagOr(settings.parallelResidual(), false);
        return new Switches(
                parallel,
                normFirst,
                family.scaledEmbedding() ? (float) Math.sqrt((double) width) : 1,
                width,
                growth / Math.sqrt(scalar == null ? headDim : scalar),
                reader.positiveOrNull(settings.attentionCap()),
                reader.positiveOrNull(settings.logitCap()),
                reader.positiveOrNull(settings.clip()));
    }

    private Map<String, Boolean> biases(Family family) {
        Map<String, Boolean> biases = new HashMap<>();
        for (Family.Matrix matrix : family.matrices().values()) {
            if (matrix.biasSwitch() != null) {
                JsonNode otherwise = BooleanNode.valueOf(matrix.switchDefault());
                biases.put(
                        matrix.biasSwitch(),
                        reader.flag(new Setting(matrix.biasSwitch(), null, otherwise)));
            }
        }
        return biases;
    }

    /** A token id, a list of them, or nothing; ids outside the vocabulary are ignored as they can never appear. */
    private List<Long> ids(String key, long vocabulary) {
        JsonNode node = config.get(key);
        List<Long> ids = new ArrayList<>();
        for (JsonNode id :
                node == null ? List.<JsonNode>of() : node.isArray() ? node : List.of(node)) {
            if (id.isNull()) {
                continue;
            }
            if (!id.isIntegralNumber() || !id.canConvertToLong()) {
                reader.problem(key + " must be a token id or a list of them but is " + node);
            } else if (id.longValue() >= 0 && id.longValue() < vocabulary) {
                ids.add(id.longValue());
            }
        }
        return ids;
    }
}
