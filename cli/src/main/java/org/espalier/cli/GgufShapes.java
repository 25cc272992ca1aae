package org.espalier.cli;

import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.espalier.checkpoint.gguf.Architecture;
import org.espalier.checkpoint.gguf.GgufShape;
import org.espalier.core.UserError;
import org.espalier.network.Activation;
import org.espalier.network.DecoderConfig;
import org.espalier.network.Mixture;
import org.espalier.network.Rope;
import org.espalier.network.Switches;
import org.espalier.network.family.Experts;
import org.jspecify.annotations.Nullable;

/** What GGUF names of a decoder; what llama.cpp would compute differently is refused. */
final class GgufShapes {
    /** Base of the frequencies that llama.cpp has in its source for Gemma 3's blocks with a window. */
    private static final double LOCAL_THETA = 10_000;

    private final OpenModel model;
    private final DecoderConfig config;
    private final Architecture architecture;

    private GgufShapes(OpenModel model) {
        this.model = model;
        this.config = model.decoder().config();
        this.architecture = Architecture.ofFamily(model.decoder().family().modelType());
    }

    static GgufShape of(OpenModel model) {
        return new GgufShapes(model).shape();
    }

    private GgufShape shape() {
        requireHeads();
        requireSwitches();
        return new GgufShape(
                model.decoder().family().modelType(),
                model.name(),
                config.vocabulary(),
                config.hidden(),
                config.intermediate(),
                config.blocks(),
                config.heads(),
                config.kvHeads(),
                config.headDim(),
                config.epsilon(),
                rotation(),
                config.maxPositions(),
                window(),
                config.switches().attentionCap(),
                config.switches().logitCap(),
                experts(),
                config.tied());
    }

    private void requireHeads() {
        Activation expected =
                architecture == Architecture.GPT2 || architecture.isGemma()
                        ? Activation.GELU_TANH
                        : Activation.SILU;
        refuseIf(config.activation() != expected, "has the activation " + config.activation());
        refuseIf(
                architecture.needsFullHeads()
                        && config.heads() * config.headDim() != config.hidden(),
                "has "
                        + config.heads()
                        + " heads of "
                        + config.headDim()
                        + " where the hidden width is "
                        + config.hidden());
        refuseIf(
                architecture == Architecture.OLMOE && config.kvHeads() != config.heads(),
                "has fewer heads of keys than of queries");
        refuseIf(
                architecture.isGemma() && !config.tied(),
                "has an output matrix that is not the embedding");
    }

    private void requireSwitches() {
        Switches switches = config.switches();
        double scale =
                architecture.attentionScale(
                        config.headDim(), config.hidden(), config.heads(), config.blocks());
        refuseIf(
                Math.abs(switches.attentionScale() / scale - 1) > 1e-6,
                "multiplies the scores of attention with "
                        + switches.attentionScale()
                        + " and not with "
                        + scale);
        boolean capped = architecture == Architecture.GEMMA2;
        refuseIf(
                capped != (switches.attentionCap() != null)
                        || capped != (switches.logitCap() != null),
                capped ? "has no bounds of scores and logits" : "bounds scores or logits");
        refuseIf(switches.clip() != null, "bounds queries, keys and values (clip_qkv)");
    }

    private GgufShape.@Nullable Experts experts() {
        Mixture mixture = config.mixture();
        if (mixture == null) {
            return null;
        }
        refuseIf(mixture.inBlock().contains(false), "has blocks without experts");
        refuseIf(
                mixture.normalised() != architecture.normalisesExperts(),
                mixture.normalised()
                        ? "makes the weights of the chosen experts sum to 1"
                        : "leaves the weights of the chosen experts as they are");
        refuseIf(
                mixture.scoring() != Experts.Scoring.SOFTMAX
                        || mixture.factor() != 1
                        || mixture.groups() != null,
                "chooses experts in a way of its own");
        return new GgufShape.Experts(
                mixture.count(),
                mixture.active(),
                mixture.intermediate(),
                mixture.sharedIntermediate());
    }

    private GgufShape.@Nullable Rotation rotation() {
        Rope rope = config.rope();
        if (rope == null) {
            return null;
        }
        long width = config.rotaryWidth();
        refuseIf(
                width != config.headDim() && architecture != Architecture.PHI3,
                "rotates a part of each head only");
        Rope local = Objects.requireNonNullElse(config.localRope(), rope);
        Rope expected =
                architecture == Architecture.GEMMA3
                        ? new Rope(LOCAL_THETA, new Rope.Unscaled())
                        : rope;
        refuseIf(
                !local.equals(expected),
                "rotates by a base of "
                        + local.theta()
                        + " in blocks with a window, and not by "
                        + expected.theta());
        GgufShape.Rotation plain = new GgufShape.Rotation(width, rope.theta(), null, null, null);
        GgufShape.Rotation found =
                switch (rope.scaling()) {
                    case Rope.Unscaled _ -> plain;
                    case Rope.Linear(double factor) ->
                            new GgufShape.Rotation(width, rope.theta(), factor, null, null);
                    case Rope.Llama3 _ -> divided(rope, width, llama3(rope, width));
                    case Rope.LongRope scaling when architecture == Architecture.PHI3 ->
                            new GgufShape.Rotation(
                                    width,
                                    rope.theta(),
                                    null,
                                    scaling.shortFactors(),
                                    new GgufShape.Longer(
                                            scaling.longFactors(),
                                            scaling.originalPositions(),
                                            scaling.magnitude()));
                    // What a file of a Llama 3.1 is read as: divisors that do not depend on the
                    // length.
                    case Rope.LongRope(var near, var far, _, var magnitude)
                            when near.equals(far) && magnitude == 1 ->
                            divided(rope, width, near);
                    case Rope.LongRope _ -> throw refused("has a LongRoPE");
                    case Rope.Yarn _ -> throw refused("has a YaRN rope");
                };
        refuseIf(
                found.divisors() != null
                        && found.longer() == null
                        && !architecture.hasRopeDivisors(),
                "divides each frequency of its rope by a number of its own");
        return found;
    }

    private static GgufShape.Rotation divided(Rope rope, long width, List<Double> divisors) {
        return new GgufShape.Rotation(width, rope.theta(), null, divisors, null);
    }

    private static List<Double> llama3(Rope rope, long width) {
        double[] plain = new Rope(rope.theta(), new Rope.Unscaled()).frequencies(width);
        double[] scaled = rope.frequencies(width);
        return IntStream.range(0, plain.length).mapToObj(i -> plain[i] / scaled[i]).toList();
    }

    private @Nullable Long window() {
        int pattern = architecture.windowPattern();
        List<Long> windows = config.windows();
        long smallest = windows.stream().mapToLong(Long::longValue).min().orElseThrow();
        for (int block = 0; block < windows.size(); block++) {
            boolean narrow =
                    smallest != DecoderConfig.NO_WINDOW
                            && (pattern == 1 || block % pattern < pattern - 1);
            long expected = narrow ? smallest : DecoderConfig.NO_WINDOW;
            refuseIf(
                    windows.get(block) != expected,
                    "has blocks with a window and blocks without in an order of its own");
        }
        refuseIf(pattern > 1 && smallest == DecoderConfig.NO_WINDOW, "has no block with a window");
        return smallest == DecoderConfig.NO_WINDOW ? null : smallest;
    }

    private void refuseIf(boolean wrong, String what) {
        if (wrong) {
            throw refused(what);
        }
    }

    private UserError refused(String what) {
        return new UserError(
                model.checkpoint().folder()
                        + " "
                        + what
                        + ", which llama.cpp does not compute in this family; export to safetensors instead");
    }
}
