package org.espalier.checkpoint;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Recognizes weights that are stored as codes by what lies beside them: every quantizer has names of its own for scales,
 * zero points and tables. Such weights are refused by the name of their format and never taken for numbers.
 */
final class CodedWeights {
    /**
     * A format.
     *
     * @param tensor how the name of a tensor ends that only this format has
     * @param name what the format is called
     */
    private record Format(Pattern tensor, String name) {
        static Format of(String ending, String name) {
            return new Format(Pattern.compile(".*" + ending), name);
        }
    }

    /** Checked in order: the more telling names first. */
    private static final List<Format> FORMATS =
            List.of(
                    Format.of("\\.g_idx", "GPTQ"),
                    Format.of(
                            "\\.(absmax|nested_absmax|quant_map|nested_quant_map)",
                            "bitsandbytes, 4 bits"),
                    Format.of("\\.quant_state\\..*", "bitsandbytes, 4 bits"),
                    Format.of("\\.(SCB|weight_format)", "bitsandbytes, 8 bits"),
                    Format.of("\\.weight_scale_2", "NVIDIA ModelOpt NVFP4"),
                    Format.of("\\.pre_quant_scale", "NVIDIA ModelOpt AWQ"),
                    Format.of("(_|\\.)amax", "NVIDIA ModelOpt"),
                    Format.of(
                            "\\.(weight_packed|weight_global_scale|weight_shape)",
                            "compressed-tensors, packed"),
                    Format.of("\\.(compressed|row_offsets)", "compressed-tensors, sparse"),
                    Format.of("\\.weight_zero_point", "compressed-tensors, asymmetric"),
                    Format.of("_proj_(blocks|scales)", "MXFP4"),
                    Format.of("\\.qweight", "AWQ or GPTQ"),
                    Format.of("\\.W_q", "HQQ"),
                    Format.of("\\.(codebooks|codes)", "AQLM"),
                    Format.of("\\.Qidxs(_\\d+)?", "QuIP"),
                    Format.of("\\.(q_weight|q_invperm)", "EXL2"),
                    Format.of("\\.trellis", "EXL3"),
                    Format.of("\\.(centroids|res_centroids)\\..*", "VPTQ"),
                    Format.of("\\.weight\\._(data|scale)", "quanto"),
                    Format.of("\\.weight_scales", "EETQ"),
                    Format.of("\\.(weight_qdata|_weight_qdata)", "torchao"),
                    Format.of("\\.(scale_weight|scaled_fp8)", "scaled FP8"),
                    Format.of("\\.(scales|qzeros)", "groups of codes with scales"),
                    Format.of("\\.weight_scale(_inv)?", "weights with scales"));

    private CodedWeights() {}

    /**
     * What the weights are, where they are codes: the format, and a tensor that shows it.
     *
     * @param tensors all tensors, those that are read with their scales as what they stand for
     * @param said what the folder itself says; it goes before what the names give
     */
    static @Nullable String find(Collection<TensorInfo> tensors, @Nullable String said) {
        for (Format format : FORMATS) {
            for (TensorInfo tensor : tensors) {
                String name = tensor.name();
                if (format.tensor().matcher(name).matches()) {
                    return shown(said == null ? format.name() : said, name);
                }
            }
        }
        // Without a name that gives the format away a type does, where the folder speaks of a
        // quantization.
        return said == null
                ? null
                : tensors.stream()
                        .filter(tensor -> tensor.name().endsWith(".weight"))
                        .filter(tensor -> tensor.shape().size() == 2 && !tensor.dtype().isPlain())
                        .findFirst()
                        .map(tensor -> shown(said, tensor.name()) + ", of type " + tensor.dtype())
                        .orElse(null);
    }

    private static String shown(String format, String tensor) {
        return format + ", as " + Text.quote(tensor) + " shows";
    }
}
