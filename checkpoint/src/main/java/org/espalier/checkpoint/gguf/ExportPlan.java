package org.espalier.checkpoint.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;

/** Which tensors a GGUF file of a checkpoint has, of what type, what each is made of, and what is left over. */
final class ExportPlan {
    /** Buffers that older files carry and that no runtime needs. */
    private static final Pattern NEEDLESS =
            Pattern.compile(".*\\.(attn\\.bias|attn\\.masked_bias|rotary_emb\\.inv_freq)");

    private static final int BLOCKS_OF_70B = 80;

    private final Checkpoint model;
    private final GgufShape shape;
    private final GgufFileType type;
    private final Architecture architecture;
    private final List<GgufSpec> specs = new ArrayList<>();
    private final Map<String, List<String>> sources = new LinkedHashMap<>();
    private final Set<String> leftOut = new LinkedHashSet<>();

    /**
     * Plans a file; a tensor that it has no place for and that the network reads is a {@link UserError}.
     *
     * @param unread names of tensors that are no part of the network
     */
    ExportPlan(Checkpoint model, GgufShape shape, GgufFileType type, Set<String> unread) {
        this.model = model;
        this.shape = shape;
        this.type = type;
        this.architecture = Architecture.ofFamily(shape.family());
        plan(unread);
    }

    /** The tensors of the file in their order. */
    List<GgufSpec> specs() {
        return specs;
    }

    /** What a tensor of the file is made of: one tensor, or one of each expert; of none where it is configuration. */
    List<String> sources(GgufSpec spec) {
        return sources.getOrDefault(spec.name(), List.of());
    }

    /** The tensors of the checkpoint that do not come into the file. */
    Set<String> leftOut() {
        return leftOut;
    }

    private void plan(Set<String> unread) {
        Set<String> left = new LinkedHashSet<>(model.tensors().keySet());
        boolean hasOutput = model.contains("lm_head.weight") && !shape.tied();
        GgufShape.Experts experts = shape.experts();
        TypeMixture mixture =
                new TypeMixture(
                        type,
                        shape.blocks(),
                        experts == null ? 0 : experts.count(),
                        sharesValues(),
                        hasOutput || architecture.needsOutput());
        for (String name : architecture.names().all(shape.blocks())) {
            List<String> parts = parts(name);
            if (parts.isEmpty()) {
                continue;
            }
            left.removeAll(parts);
            List<Long> extents = extents(name, parts);
            specs.add(new GgufSpec(name, mixture.of(name, extents), extents));
            sources.put(name, parts);
        }
        for (String name : left) {
            boolean copy = shape.tied() && name.equals("lm_head.weight");
            if (copy || unread.contains(name) || NEEDLESS.matcher(name).matches()) {
                leftOut.add(name);
            }
        }
        left.removeAll(leftOut);
        if (!left.isEmpty()) {
            throw new UserError(
                    model.folder()
                            + " has the tensor "
                            + Text.quote(left.iterator().next())
                            + ", which architecture "
                            + architecture.id()
                            + " of llama.cpp does not have; export to safetensors instead");
        }
        RopeScaling.divisors(architecture, shape)
                .forEach((name, divisors) -> {
                    specs.add(new GgufSpec(name, GgufType.F32, List.of((long) divisors.size())));
                    sources.put(name, List.of());
                });
    }

    /** Llama and Qwen2 with 80 blocks are "70B" there, unless each head of a Llama has a v of its own. */
    private boolean sharesValues() {
        return shape.blocks() == BLOCKS_OF_70B
                && (architecture == Architecture.QWEN2
                        || (architecture == Architecture.LLAMA
                                && shape.heads() != shape.kvHeads()));
    }

    private List<Long> extents(String name, List<String> parts) {
        List<Long> extents =
                new ArrayList<>(
                        Arrays.stream(model.shape(parts.getFirst())).boxed().toList().reversed());
        if (architecture.isTransposed(name)) {
            return extents.reversed();
        }
        if (architecture.isFlattened(name)) {
            extents.removeLast();
        } else if (isStack(name)) {
            extents.add((long) parts.size());
        }
        return extents;
    }

    private boolean isStack(String name) {
        String source = architecture.names().tensor(name);
        return source != null && source.contains(TensorNames.EXPERT);
    }

    /** The tensors of the checkpoint that become a tensor of the file; none where it has none. */
    private List<String> parts(String name) {
        String source = architecture.names().tensor(name);
        GgufShape.Experts experts = shape.experts();
        if (source == null) {
            return List.of();
        }
        if (source.contains(TensorNames.EXPERT) && experts != null) {
            return LongStream.range(0, experts.count())
                    .mapToObj(expert -> stored(source.replace(TensorNames.EXPERT, "" + expert)))
                    .toList();
        }
        if (name.equals("output.weight") && shape.tied()) {
            // Elsewhere llama.cpp takes the embedding where there is no output matrix.
            return architecture.needsOutput() ? parts("token_embd.weight") : List.of();
        }
        String stored = stored(source);
        return model.contains(stored) ? List.of(stored) : List.of();
    }

    /** Under what name the checkpoint has a tensor; some leave out the first module. */
    private String stored(String name) {
        return model.contains(name) ? name : name.replaceFirst("^(transformer|model)\\.", "");
    }
}
