package org.espalier.network;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.DType;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.espalier.network.family.Families;
import org.espalier.network.family.Family;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * A decoder language model: embedding, blocks, final norm, head. Which family it is of is data ({@link Family}); the
 * forward pass is this one, for calibration, evaluation, generation and training alike. Nothing in here switches
 * gradients off: callers decide, with {@link Tensors#noGrad()}.
 *
 * <p>Tensors are float32 whatever the dtype of the checkpoint. Blocks are loaded one at a time and given back by their
 * callers, so a model larger than memory can be walked. The {@link WeightSource} must stay open for as long as the
 * decoder is in use, and remains the caller's to close.
 */
public final class Decoder implements AutoCloseable {
    private final DecoderConfig config;
    private final WeightSource weights;
    private final Layout layout;
    private final @Nullable Rotation rotation;
    private final @Nullable Rotation localRotation;
    private final List<UnreadTensors> unread;
    private final Set<String> redundant;
    private final boolean headDiffers;

    private Decoder(
            DecoderConfig config,
            WeightSource weights,
            Collection<String> names,
            Map<String, String> twins,
            boolean headDiffers) {
        this.config = config;
        this.weights = weights;
        this.layout = new Layout(config, weights);
        this.redundant = redundant(twins, layout.tensors());
        List<String> own = names.stream().filter(name -> !redundant.contains(name)).toList();
        this.unread = UnreadTensors.of(own, layout.tensors());
        this.headDiffers = headDiffers;
        Rope rope = config.rope();
        this.rotation = rope == null ? null : new Rotation(rope, config.rotaryWidth());
        Rope local = config.localRope();
        this.localRotation =
                local == null || local.equals(rope)
                        ? rotation
                        : new Rotation(local, config.rotaryWidth());
    }

    /**
     * Opens a model and checks config.json and the shape of every tensor; no tensor is read yet.
     *
     * @throws UserError naming everything that is wrong
     */
    public static Decoder open(ObjectNode config, WeightSource weights) {
        return new Decoder(DecoderConfig.of(config), weights, List.of(), Map.of(), false);
    }

    /**
     * Opens a checkpoint, which must stay open for as long as the decoder is in use and remains the caller's to close.
     * A descriptor beside it ({@link Families#BESIDE}) goes before the known families.
     *
     * @throws UserError naming everything that is wrong
     */
    public static Decoder open(Checkpoint checkpoint) {
        checkpoint.requireNumbers();
        try {
            ObjectNode config = checkpoint.config();
            String type = DecoderConfig.modelType(config);
            Path descriptor = checkpoint.folder().resolve(Families.BESIDE);
            boolean brought = Files.isRegularFile(descriptor);
            Family family = brought ? Families.read(descriptor, type) : Families.of(type);
            return open(checkpoint, DecoderConfig.of(config, family));
        } catch (UserError e) {
            throw new UserError(checkpoint.folder() + ": " + e.getMessage(), e);
        }
    }

    private static Decoder open(Checkpoint checkpoint, DecoderConfig config) {
        ForeignNames.refuse(config.family(), checkpoint.tensors().keySet());
        CheckpointWeights weights = new CheckpointWeights(checkpoint);
        boolean differs = config.tied() && TiedHead.isContradicted(config.family(), checkpoint);
        Decoder decoder =
                new Decoder(
                        differs ? config.untied() : config,
                        weights,
                        checkpoint.tensors().keySet(),
                        checkpoint.twins(),
                        differs);
        for (String name : decoder.layout.tensors()) {
            DType type = checkpoint.dtype(name);
            if (!type.isPlain()) {
                throw new UserError(
                        name
                                + " is stored as "
                                + type
                                + " and no scales are known that would make numbers of its codes; give the same"
                                + " model in bfloat16, float16 or float32");
            }
        }
        return decoder;
    }

    /** The names of all tensors that are part of this network. */
    public Set<String> tensors() {
        return layout.tensors();
    }

    /** The tensors of the checkpoint that are no part of this network, by module; empty for other sources. */
    public List<UnreadTensors> unread() {
        return unread;
    }

    /** Tensors that the network does not read and that are another one, which it reads, under a second name. */
    public Set<String> redundant() {
        return redundant;
    }

    private static Set<String> redundant(Map<String, String> twins, Set<String> read) {
        Set<String> used = new HashSet<>();
        read.forEach(name -> used.add(twins.getOrDefault(name, name)));
        Set<String> redundant = new TreeSet<>();
        twins.forEach((name, first) -> {
            for (String one : List.of(name, first)) {
                if (used.contains(first) && !read.contains(one)) {
                    redundant.add(one);
                }
            }
        });
        return redundant;
    }

    /** Whether the weights hold a head of other values than the embedding that config.json ties it to. */
    public boolean headDiffers() {
        return headDiffers;
    }

    /** Whether the weights have a block after the last one that config.json names. */
    public boolean hasMoreBlocks() {
        String pattern = family().names().attentionNorm();
        int end = pattern.indexOf("{block}") + "{block}".length();
        String next = layout.module(pattern.substring(0, end), config.blocks());
        return unread.stream()
                .anyMatch(group ->
                        group.module().equals(next) || group.module().startsWith(next + "."));
    }

    /** The resolved numbers. */
    public DecoderConfig config() {
        return config;
    }

    /** The family's descriptor. */
    public Family family() {
        return config.family();
    }

    /** Number of blocks. */
    public int blocks() {
        return config.blocks();
    }

    /** The prunable matrices of a block in forward order. */
    public List<Linear> linears(int block) {
        return layout.linears(requireBlock(block));
    }

    /** The prunable matrices of all blocks in forward order. */
    public List<Linear> linears() {
        return IntStream.range(0, blocks())
                .boxed()
                .flatMap(block -> linears(block).stream())
                .toList();
    }

    /**
     * What enters block 0; every sequence starts at position 0.
     *
     * @param ids int64 [sequences, tokens], contiguous
     * @return float32 [sequences, tokens, hidden]
     * @throws UserError for an id outside the vocabulary, or more tokens than there are learned positions
     */
    public Tensor embed(Tensor ids) {
        return embed(ids, 0);
    }

    /**
     * What enters block 0.
     *
     * @param ids int64 [sequences, tokens], contiguous
     * @param start position of the first token of each sequence
     * @return float32 [sequences, tokens, hidden]
     * @throws UserError for an id outside the vocabulary, or more tokens than there are learned positions
     */
    public Tensor embed(Tensor ids, long start) {
        TokenIds.check(ids, config.vocabulary());
        Family.Names names = config.family().names();
        Switches switches = config.switches();
        return Tensors.scoped(() -> {
            // Only the rows of these ids are read, in the dtype of the file.
            Tensor stored = weights.tensor(table());
            ScalarType type = Tensors.type(stored);
            Tensor hidden = torch.embedding(stored, ids).to(ScalarType.Float);
            if (switches.embeddingScale() != 1) {
                // Gemma is trained with the factor in the type of its weights: 55.5 and not 55.43
                // in bfloat16.
                Tensor factor = Tensors.floats(new float[] {(float) switches.embeddingScale()}, 1);
                hidden = hidden.mul(factor.to(type).to(ScalarType.Float));
            }
            try (LoadedParameters parameters = parameters()) {
                if (names.projectIn() != null && switches.embeddingWidth() != config.hidden()) {
                    hidden = torch.linear(hidden, parameters.module(names.projectIn(), 0));
                }
                if (names.positions() != null) {
                    hidden = hidden.add(positions(names.positions(), start, ids.size(1)));
                }
                Normalizer norm = parameters.optionalNorm(names.embeddingNorm(), 0);
                return norm == null ? hidden : norm.apply(hidden);
            }
        });
    }

    private String table() {
        return layout.module(config.family().names().embedding()) + ".weight";
    }

    private LoadedParameters parameters() {
        return new LoadedParameters(weights, layout, config);
    }

    private Tensor positions(String pattern, long start, long tokens) {
        if (start + tokens > config.maxPositions()) {
            throw new UserError(
                    "the text is "
                            + (start + tokens)
                            + " tokens long but the model has only "
                            + config.maxPositions()
                            + " positions; use shorter sequences");
        }
        return weights.tensor(layout.module(pattern) + ".weight")
                .narrow(0, start + config.family().settings().positionOffset(), tokens)
                .to(ScalarType.Float);
    }

    /** Loads a block as float32. The caller closes it. */
    public Block block(int index) {
        return block(index, Block.Loading.WHOLE);
    }

    /** Loads a block, or opens it for loading on demand. The caller closes it. */
    public Block block(int index, Block.Loading loading) {
        // All tokens are embedded before the first block is loaded, so the table may go.
        weights.release(table());
        LoadedParameters parameters = parameters();
        boolean local = config.windows().get(requireBlock(index)) != DecoderConfig.NO_WINDOW;
        try {
            return new Block(config, index, local ? localRotation : rotation, parameters, loading);
        } catch (RuntimeException e) {
            parameters.close();
            throw e;
        }
    }

    private int requireBlock(int index) {
        return Objects.checkIndex(index, config.blocks());
    }

    /** Loads final norm and output matrix as float32. The caller closes them. */
    public Head head() {
        LoadedParameters parameters = parameters();
        try {
            return new Head(parameters, config);
        } catch (RuntimeException e) {
            parameters.close();
            throw e;
        }
    }

    /** Logits of hidden states, once; see {@link Head#logits}. */
    public Tensor logits(Tensor hidden) {
        try (Head head = head()) {
            return head.logits(hidden);
        }
    }

    /**
     * The whole pass.
     *
     * @param ids int64 [sequences, tokens], contiguous
     * @return float32 [sequences, tokens, vocabulary]
     */
    public Tensor forward(Tensor ids) {
        Tensor hidden = owned(() -> embed(ids));
        try {
            for (int index = 0; index < config.blocks(); index++) {
                Tensor input = hidden;
                try (Block block = block(index)) {
                    hidden = owned(() -> block.forward(input, null));
                }
                input.close();
            }
            Tensor output = hidden;
            return Tensors.scoped(() -> logits(output));
        } finally {
            hidden.close();
        }
    }

    /** Runs a step and takes its result out of all scopes, so that it can be freed before the pass ends. */
    private static Tensor owned(Supplier<Tensor> step) {
        try (PointerScope scope = new PointerScope()) {
            return Tensors.own(step.get());
        }
    }

    @Override
    public void close() {
        if (rotation != null) {
            rotation.close();
        }
        if (localRotation != null) {
            localRotation.close();
        }
    }
}
