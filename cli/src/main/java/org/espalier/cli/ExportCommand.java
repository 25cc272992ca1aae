package org.espalier.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.espalier.checkpoint.BitmaskWriter;
import org.espalier.checkpoint.CheckpointWriter;
import org.espalier.checkpoint.DType;
import org.espalier.checkpoint.gguf.GgufExport;
import org.espalier.checkpoint.gguf.GgufFileType;
import org.espalier.checkpoint.gguf.GgufShape;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code export}: the same model in another format. */
@Command(
        name = "export",
        description = {
            "Writes a model in another format: a GGUF file for llama.cpp, or a Hugging Face folder.",
            "Nothing is pruned; zeros stay zeros."
        },
        sortOptions = false)
final class ExportCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            paramLabel = "MODEL",
            description = "Folder of a Hugging Face checkpoint, or a .gguf file.")
    private Path model = Path.of("");

    @Option(
            names = "--to",
            paramLabel = "FORMAT",
            required = true,
            description = "gguf or safetensors.")
    private String format = "";

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description = {
                "How to store the weights (default: as they are).",
                "gguf: f32, f16, bf16, q8_0, q4_0 or q4_k_m; safetensors: f32, f16, bf16 or bitmask,",
                "which stores pruned matrices without their zeros, for Espalier only."
            })
    private @Nullable String type;

    @Option(
            names = {"--out", "-o"},
            paramLabel = "PATH",
            description =
                    "File or folder to make (default: beside the model, named after it and the type).")
    private @Nullable Path out;

    @Mixin private final CommonOptions common = new CommonOptions();

    ExportCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        try (OpenModel open = OpenModel.open(model)) {
            common.applyThreads();
            ModelNotes.odd(open).forEach(note -> console.progress().note(model + ": " + note));
            Map<String, Object> result =
                    switch (format.toLowerCase(Locale.ROOT)) {
                        case "gguf" -> gguf(open);
                        case "safetensors" -> safetensors(open);
                        default ->
                                throw new UserError(
                                        "--to must be gguf or safetensors but is " + format);
                    };
            if (common.json()) {
                console.json(result);
            } else {
                lines(result)
                        .forEach((key, value) ->
                                console.out()
                                        .println(
                                                Words.format(
                                                        "%-12s %s",
                                                        key,
                                                        value instanceof List<?> names
                                                                ? ModelNotes.shown(
                                                                        names.stream()
                                                                                .map(
                                                                                        Object
                                                                                                ::toString)
                                                                                .toList())
                                                                : value)));
            }
        }
        return 0;
    }

    /** For people: zeros on one line, and no second time what was told before the work. */
    private static Map<String, Object> lines(Map<String, Object> result) {
        Map<String, Object> lines = new LinkedHashMap<>(result);
        lines.remove("lost");
        if (lines.remove("zerosBefore") instanceof Double before
                && lines.remove("zerosAfter") instanceof Double after) {
            lines.put(
                    "zeros",
                    Words.percent(before)
                            + " of the blocks before, "
                            + Words.percent(after)
                            + " now");
        }
        return lines;
    }

    private Map<String, Object> gguf(OpenModel open) {
        GgufShape shape = GgufShapes.of(open);
        GgufFileType fileType = GgufFileType.named(type == null ? stored(open) : type);
        String suffix = "-" + fileType.name().toLowerCase(Locale.ROOT) + ".gguf";
        Path target = out == null ? beside(suffix) : out;
        GgufExport export = new GgufExport(open.checkpoint(), shape, fileType, unread(open));
        List<String> losses = export.losses(console.progress());
        losses.forEach(console.progress()::note);
        GgufExport.Written written = export.write(target, console.progress());
        Map<String, Object> result = result(open, target);
        result.put("type", fileType.name());
        result.put("bytesByType", written.bytesByType());
        result.put("zerosBefore", written.zerosBefore());
        result.put("zerosAfter", written.zerosAfter());
        if (!losses.isEmpty()) {
            result.put("lost", losses);
        }
        return result;
    }

    private static Set<String> unread(OpenModel open) {
        Set<String> names = new LinkedHashSet<>(open.checkpoint().tensors().keySet());
        names.removeAll(open.decoder().tensors());
        return names;
    }

    private Map<String, Object> bitmask(OpenModel open) {
        Path target = out == null ? beside("-bitmask") : out;
        ModelNotes.tellLeftOut(open, console.progress());
        BitmaskWriter.Result written =
                BitmaskWriter.write(open.checkpoint(), target, console.progress());
        Map<String, Object> result = result(open, target);
        result.put("type", "bitmask");
        result.put("packed", written.packed());
        result.put("bytesBefore", written.before());
        result.put("bytes", written.after());
        return result;
    }

    private Map<String, Object> safetensors(OpenModel open) {
        if (type != null && type.equalsIgnoreCase("bitmask")) {
            return bitmask(open);
        }
        DType dtype =
                type == null
                        ? null
                        : switch (type.toLowerCase(Locale.ROOT)) {
                            case "f32" -> DType.F32;
                            case "f16" -> DType.F16;
                            case "bf16" -> DType.BF16;
                            default ->
                                    throw new UserError(
                                            "there is no safetensors type "
                                                    + type
                                                    + " here; use f32, f16, bf16 or bitmask");
                        };
        String suffix =
                dtype == null ? "-safetensors" : "-" + dtype.name().toLowerCase(Locale.ROOT);
        Path target = out == null ? beside(suffix) : out;
        ModelNotes.tellLeftOut(open, console.progress());
        try (CheckpointWriter writer = CheckpointWriter.create(open.checkpoint(), target, dtype)) {
            open.decoder().redundant().forEach(writer::omit);
            DiskRoom.require(writer.note(""), target, writer.bytes());
            writer.commit();
        }
        Map<String, Object> result = result(open, target);
        result.put("type", dtype == null ? "as it was" : dtype.name());
        return result;
    }

    private Map<String, Object> result(OpenModel open, Path target) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", open.checkpoint().folder().toString());
        result.put("written", target.toString());
        result.put("format", format.toLowerCase(Locale.ROOT));
        List<String> unread = ModelNotes.unread(open.decoder());
        if (!unread.isEmpty()) {
            result.put("unused", unread);
        }
        List<String> leftOut = open.checkpoint().leftOut();
        if (!leftOut.isEmpty()) {
            result.put("left out", leftOut);
        }
        return result;
    }

    /** The plain type that most of the model is stored in. */
    private static String stored(OpenModel open) {
        return switch (open.checkpoint().dominantDtype()) {
            case F16 -> "f16";
            case BF16 -> "bf16";
            default -> "f32";
        };
    }

    private Path beside(String suffix) {
        Path folder = model.toAbsolutePath().normalize();
        String name = String.valueOf(folder.getFileName()).replaceFirst("\\.gguf$", "");
        Path target = folder.resolveSibling(name + suffix);
        if (Files.exists(target)) {
            throw new UserError(target + " exists already; name another with --out");
        }
        return target;
    }
}
