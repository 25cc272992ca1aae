package org.espalier.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.TensorInfo;
import org.espalier.core.tensor.Tensors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Turns a folder of bfloat16 safetensors into one of {@code torch.save}'s files with the same weights. */
final class TorchFolder {
    /** Bytes of an entry's header before its name. */
    private static final int HEADER = 30;

    private final Checkpoint source;
    private final Path folder;
    private final boolean transposed;
    private final Map<String, String> twins = new LinkedHashMap<>();

    /** Writes beside config.json of {@code source}; matrices lie transposed in their storages if so wanted. */
    TorchFolder(Checkpoint source, Path folder, boolean transposed) throws IOException {
        this.source = source;
        this.folder = Files.createDirectories(folder);
        this.transposed = transposed;
        Files.copy(source.folder().resolve("config.json"), folder.resolve("config.json"));
    }

    /** A second name for a tensor. */
    TorchFolder twin(String name, String of) {
        twins.put(name, of);
        return this;
    }

    /** One file. */
    Path single() throws IOException {
        write("pytorch_model.bin", List.copyOf(source.tensors().keySet()));
        return folder;
    }

    /** Several files with their index. */
    Path sharded(int count) throws IOException {
        List<String> names = List.copyOf(source.tensors().keySet());
        ObjectNode index = JsonMapper.shared().createObjectNode();
        ObjectNode map = index.putObject("weight_map");
        for (int i = 0; i < count; i++) {
            String file = "pytorch_model-%05d-of-%05d.bin".formatted(i + 1, count);
            List<String> part =
                    names.subList(names.size() * i / count, names.size() * (i + 1) / count);
            write(file, part);
            part.forEach(name -> map.put(name, file));
        }
        Files.writeString(folder.resolve("pytorch_model.bin.index.json"), index.toString());
        return folder;
    }

    private void write(String file, List<String> names) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2});
        pickle.writeBytes(ascii("ccollections\nOrderedDict\n)R("));
        Map<String, byte[]> entries = new LinkedHashMap<>();
        Set<String> all = new LinkedHashSet<>(names);
        all.addAll(twins.keySet());
        for (String name : all) {
            String data = twins.getOrDefault(name, name);
            int key = names.indexOf(data);
            if (key >= 0) {
                entries.computeIfAbsent("data/" + key, entry -> data(data));
                pickle.writeBytes(tensor(name, data, key));
            }
        }
        pickle.writeBytes(ascii("u."));
        zip(folder.resolve(file), pickle.toByteArray(), entries);
    }

    private byte[] data(String name) {
        try (PointerScope scope = new PointerScope()) {
            Tensor tensor = source.tensor(name);
            Tensor laid = isTransposed(name) ? tensor.t().contiguous() : tensor;
            return Tensors.segment(laid).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private boolean isTransposed(String name) {
        return transposed && source.shape(name).length == 2;
    }

    private byte[] tensor(String name, String data, int key) {
        TensorInfo info = source.tensors().get(data);
        if (info == null) {
            throw new IllegalArgumentException(data);
        }
        long[] shape = info.dimensions();
        long[] strides = shape.length == 1 ? new long[] {1} : new long[] {shape[1], 1};
        if (isTransposed(data)) {
            strides = new long[] {1, shape[0]};
        }
        String text =
                "V%s\nctorch._utils\n_rebuild_tensor_v2\n((Vstorage\nctorch\nBFloat16Storage\nV%d\nVcpu\nL%dL\ntQL0L\n%s%sI00\n}tR"
                        .formatted(name, key, info.elements(), tuple(shape), tuple(strides));
        return ascii(text);
    }

    private static String tuple(long... numbers) {
        StringBuilder tuple = new StringBuilder("(");
        for (long number : numbers) {
            tuple.append('L').append(number).append("L\n");
        }
        return tuple.append('t').toString();
    }

    /** Entries stored as they are, the data of each at a multiple of 64 bytes. */
    private static void zip(Path file, byte[] pickle, Map<String, byte[]> data) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("model/data.pkl", pickle);
        data.forEach((name, bytes) -> entries.put("model/" + name, bytes));
        entries.put("model/version", ascii("3\n"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            for (Map.Entry<String, byte[]> content : entries.entrySet()) {
                CRC32 sum = new CRC32();
                sum.update(content.getValue());
                ZipEntry entry = new ZipEntry(content.getKey());
                entry.setSize(content.getValue().length);
                entry.setCrc(sum.getValue());
                zip.flush();
                int begin = bytes.size() + HEADER + content.getKey().length() + 4;
                ByteBuffer extra =
                        ByteBuffer.allocate(4 + (-begin & 63)).order(ByteOrder.LITTLE_ENDIAN);
                extra.putShort((short) 0x4246).putShort((short) (extra.capacity() - 4));
                entry.setExtra(extra.array());
                zip.putNextEntry(entry);
                zip.write(content.getValue());
                zip.closeEntry();
            }
        }
        Files.write(file, bytes.toByteArray());
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
