package org.espalier.cli;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.espalier.audit.receipt.Checksum;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.RecipeForm;
import org.espalier.core.tensor.Torch;
import org.espalier.network.text.TextSource;
import org.espalier.prune.resume.PruneJournal;
import org.espalier.prune.solve.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Everything that decides what a pruning writes: two runs that agree in it write the same bytes. */
final class RunFingerprint {
    private RunFingerprint() {}

    /**
     * The fingerprint of a run.
     *
     * @param name name of the dense model
     * @param sources its files
     * @param calibration the calibration text as the receipt names it, or null
     * @param sample what was drawn from it, or null
     * @param measure the text that is measured on, or null
     */
    static ObjectNode of(
            PruneRequest request,
            int threads,
            String name,
            List<FileEntry> sources,
            Receipt.@Nullable CalibrationEntry calibration,
            TextSource.@Nullable Sample sample,
            @Nullable MeasureText measure) {
        JsonMapper json = JsonMapper.shared();
        ObjectNode node = json.createObjectNode();
        node.put("espalier", Espalier.version());
        node.put("journal", PruneJournal.FORMAT);
        node.put("model", name);
        Map<String, String> files = new TreeMap<>();
        for (FileEntry file : sources) {
            files.put(file.name(), file.bytes() + " bytes, SHA-256 " + file.sha256());
        }
        node.set("files", json.valueToTree(files));
        node.set("recipe", json.valueToTree(RecipeForm.of(request.method().recipe())));
        if (calibration != null) {
            ObjectNode read = node.putObject("calibration");
            read.put("file", calibration.file())
                    .put("sha256", calibration.sha256())
                    .put("samples", calibration.samples())
                    .put("longest", calibration.longest())
                    .put("tokens", calibration.tokens());
            if (sample != null) {
                read.put("drawn", digest(sample.sequences()));
            }
        }
        node.put("seed", request.seed());
        node.put("threads", threads);
        node.put("dtype", request.dtype());
        if (measure != null) {
            ObjectNode measured = node.putObject("measure");
            measured.setAll((ObjectNode) json.valueToTree(measure.protocol()));
            measured.put("prompt", request.prompt());
        }
        node.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        node.put("processor", Torch.capability());
        node.put("kernels", Kernels.best().name());
        return node;
    }

    private static String digest(List<long[]> sequences) {
        String digests =
                sequences.stream().map(RunFingerprint::digest).collect(Collectors.joining(" "));
        return Checksum.of(digests.getBytes(StandardCharsets.US_ASCII));
    }

    private static String digest(long[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(ids.length, Long.BYTES));
        bytes.asLongBuffer().put(ids);
        return Checksum.of(bytes.array());
    }
}
