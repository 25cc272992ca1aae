package org.espalier.checkpoint;

import java.util.Optional;
import java.util.regex.Pattern;

/** How the weight files of a Hugging Face folder are named, by format. */
enum WeightLayout {
    SAFETENSORS("model", ".safetensors"),
    PYTORCH("pytorch_model", ".bin");

    private final String stem;
    private final String extension;

    WeightLayout(String stem, String extension) {
        this.stem = stem;
        this.extension = extension;
    }

    /** The layout that a weight file's name is of. */
    static Optional<WeightLayout> of(String fileName) {
        for (WeightLayout layout : values()) {
            if (fileName.endsWith(layout.extension)) {
                return Optional.of(layout);
            }
        }
        return Optional.empty();
    }

    /** The only file of a model. */
    String single() {
        return stem + extension;
    }

    /** The list of several files. */
    String index() {
        return single() + ".index.json";
    }

    String extension() {
        return extension;
    }

    /** Names of shards, with their number and how many there are. */
    Pattern shards() {
        return Pattern.compile(
                Pattern.quote(stem) + "-(\\d{5})-of-(\\d{5})" + Pattern.quote(extension));
    }

    /** The name of one shard. */
    String shard(int number, int total) {
        return "%s-%05d-of-%05d%s".formatted(stem, number, total, extension);
    }

    /** The name of the safetensors file that takes the place of a weight file. */
    static String written(String fileName) {
        if (!fileName.endsWith(PYTORCH.extension)) {
            return fileName;
        }
        String name = fileName.substring(0, fileName.length() - PYTORCH.extension.length());
        boolean usual = name.startsWith(PYTORCH.stem);
        return (usual ? SAFETENSORS.stem + name.substring(PYTORCH.stem.length()) : name)
                + SAFETENSORS.extension;
    }
}
