package org.espalier.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Says of a path that holds no model that can be opened what it is instead, and the one thing to do. */
final class Diagnosis {
    private static final String EXPECTED =
            "the folder of a Hugging Face checkpoint (config.json and model.safetensors)";

    private static final int SHOWN = 3;

    private static final Pattern PARTIAL =
            Pattern.compile(".*\\.(incomplete|part|partial|crdownload|aria2|download|tmp)");

    /**
     * Names of weights in formats that are not read here, and whose they are. Checked in order.
     *
     * @param name what the file's name looks like, in lower case
     * @param what what such a file is
     */
    private record Foreign(Pattern name, String what) {
        static Foreign of(String name, String what) {
            return new Foreign(Pattern.compile(name), what);
        }
    }

    private static final List<Foreign> FOREIGN =
            List.of(
                    Foreign.of("tf_model.*\\.h5|.*\\.h5", "TensorFlow weights"),
                    Foreign.of("flax_model.*|.*\\.msgpack", "Flax weights"),
                    Foreign.of("rust_model\\.ot|.*\\.ot", "Rust weights"),
                    Foreign.of(".*\\.onnx(_data)?", "an ONNX graph"),
                    Foreign.of(".*\\.npz", "NumPy arrays"),
                    Foreign.of(".*\\.ckpt(\\..*)?", "a training checkpoint"),
                    Foreign.of(".*\\.(bin|pth|pt)", "PyTorch weights"));

    private Diagnosis() {}

    /** Of a path that is no folder. */
    static String noFolder(Path path) {
        String dangling = Impostor.dangling(path);
        if (dangling != null) {
            return dangling;
        }
        if (!Files.exists(path)) {
            return path + " does not exist; give " + EXPECTED;
        }
        String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
        Path parent = path.toAbsolutePath().getParent();
        boolean part =
                name.endsWith(".json")
                        || name.endsWith(".model")
                        || (WeightFiles.isWeights(name) && !name.endsWith(".gguf"));
        if (part && parent != null && Files.isRegularFile(parent.resolve(ModelFolder.CONFIG))) {
            return path + " is one file of a model, not a folder; give its folder " + parent;
        }
        return path + " is not a folder; give " + EXPECTED;
    }

    /** Of a folder without {@code config.json}. */
    static String noConfig(Path folder) {
        String dangling = Impostor.dangling(folder.resolve(ModelFolder.CONFIG));
        if (dangling != null) {
            return dangling;
        }
        List<String> names = names(folder, Files::isRegularFile);
        String known = adapter(folder, names);
        if (known != null) {
            return known;
        }
        if (names.contains("model_index.json")) {
            return folder
                    + " is a diffusers pipeline (model_index.json), not a language model; give "
                    + EXPECTED;
        }
        if (names.contains("params.json") || any(names, "consolidated.*") != null) {
            return folder
                    + " holds the authors' own layout (params.json, consolidated weights) and no config.json; get the"
                    + " model in the Hugging Face layout";
        }
        String other = gguf(folder, names);
        if (other == null) {
            other = unfinished(folder, names);
        }
        if (other == null && any(names, "model.*\\.safetensors") != null) {
            other = folder + " has weights but no config.json; put the model's config.json there";
        }
        if (other == null) {
            other = below(folder);
        }
        if (other == null) {
            other = foreign(folder, "no config.json", names);
        }
        return other != null ? other : folder + " has no config.json; give " + EXPECTED;
    }

    /** Of a folder with {@code config.json} but without weights under the names that are looked for. */
    static String noWeights(Path folder) {
        for (String name :
                List.of(
                        Shards.SINGLE,
                        Shards.INDEX,
                        WeightLayout.PYTORCH.single(),
                        WeightLayout.PYTORCH.index())) {
            String dangling = Impostor.dangling(folder.resolve(name));
            if (dangling != null) {
                return dangling;
            }
        }
        List<String> names = names(folder, Files::isRegularFile);
        String known = unfinished(folder, names);
        if (known == null) {
            known = adapter(folder, names);
        }
        if (known == null) {
            known = otherName(folder, names);
        }
        if (known == null) {
            known = gguf(folder, names);
        }
        String wanted = "neither " + Shards.SINGLE + " nor " + Shards.INDEX;
        if (known == null) {
            known = foreign(folder, wanted, names);
        }
        return known != null
                ? known
                : folder
                        + " has "
                        + wanted
                        + "; give the folder of a Hugging Face checkpoint with safetensors weights";
    }

    private static @Nullable String adapter(Path folder, List<String> names) {
        boolean model = any(names, "(model|pytorch_model).*\\.(safetensors|bin)") != null;
        return !model && names.contains("adapter_config.json")
                ? folder
                        + " is an adapter (adapter_config.json), not a whole model; merge it into its base model and"
                        + " give the folder of the result"
                : null;
    }

    private static @Nullable String otherName(Path folder, List<String> names) {
        String consolidated = any(names, "consolidated.*\\.safetensors");
        if (consolidated != null) {
            return folder
                    + " has "
                    + Text.line(consolidated)
                    + ", the layout of the authors' own code, but no "
                    + Shards.SINGLE
                    + "; get the model in the Hugging Face layout";
        }
        List<String> others =
                names.stream().filter(name -> name.endsWith(".safetensors")).sorted().toList();
        if (others.isEmpty()) {
            return null;
        }
        return folder
                + " has no "
                + Shards.SINGLE
                + " but "
                + shown(others)
                + "; "
                + (others.size() == 1
                        ? "if that is the whole model, name it " + Shards.SINGLE
                        : "if these are shards, get their " + Shards.INDEX);
    }

    private static @Nullable String gguf(Path folder, List<String> names) {
        List<String> files =
                names.stream()
                        .filter(name -> name.toLowerCase(Locale.ROOT).endsWith(".gguf"))
                        .toList();
        return files.isEmpty()
                ? null
                : folder
                        + (files.size() == 1
                                ? " holds a GGUF file; give the file itself, "
                                : " holds GGUF files; give one of them, not the folder: ")
                        + shown(files);
    }

    private static @Nullable String unfinished(Path folder, List<String> names) {
        List<String> partial =
                names.stream()
                        .filter(name -> PARTIAL.matcher(name.toLowerCase(Locale.ROOT)).matches())
                        .toList();
        return partial.isEmpty()
                ? null
                : folder
                        + " holds a download that is not finished, "
                        + shown(partial)
                        + "; finish it or start it again";
    }

    /** A folder of folders: the model may lie one step deeper. */
    private static @Nullable String below(Path folder) {
        List<String> models =
                names(
                        folder,
                        path ->
                                Files.isRegularFile(path.resolve(ModelFolder.CONFIG))
                                        || HubCache.isRoot(path));
        return models.isEmpty()
                ? null
                : folder
                        + " has no config.json, but folders in it do; give one of them: "
                        + shown(models);
    }

    private static @Nullable String foreign(Path folder, String wanted, List<String> names) {
        for (Foreign foreign : FOREIGN) {
            List<String> found =
                    names.stream()
                            .filter(name ->
                                    foreign.name().matcher(name.toLowerCase(Locale.ROOT)).matches())
                            .toList();
            if (!found.isEmpty()) {
                return folder
                        + " has "
                        + wanted
                        + ", only "
                        + foreign.what()
                        + " ("
                        + shown(found)
                        + "); convert or download the weights as safetensors";
            }
        }
        return null;
    }

    private static @Nullable String any(List<String> names, String pattern) {
        Pattern compiled = Pattern.compile(pattern);
        return names.stream()
                .filter(name -> compiled.matcher(name.toLowerCase(Locale.ROOT)).matches())
                .findFirst()
                .orElse(null);
    }

    private static String shown(List<String> names) {
        return Text.line(String.join(", ", names.subList(0, Math.min(SHOWN, names.size()))))
                + (names.size() > SHOWN ? " and " + (names.size() - SHOWN) + " more" : "");
    }

    private static List<String> names(Path folder, Predicate<Path> wanted) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(wanted)
                    .map(path -> String.valueOf(path.getFileName()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw IoFailure.reading(folder, e);
        }
    }
}
