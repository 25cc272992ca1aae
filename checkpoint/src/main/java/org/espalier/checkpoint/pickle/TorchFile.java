package org.espalier.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.checkpoint.pickle.Places.Place;
import org.espalier.checkpoint.pickle.ZipDirectory.Entry;
import org.jspecify.annotations.Nullable;

/**
 * What a file of {@code torch.save} holds. Only the pickle and the directory are read, both bounded; storages are left
 * where they are.
 *
 * @param tensors the tensors of the state dict in its order
 * @param leftOut what else lies in the file, by its keys
 */
public record TorchFile(List<StoredTensor> tensors, List<String> leftOut) {
    private static final String PICKLE = "data.pkl";

    /** The newest that libtorch 2.10 reads (caffe2/serialize/versions.h). */
    private static final int NEWEST = 10;

    private static final int PROTO = 0x80;
    private static final int TAR_MAGIC_AT = 257;

    public TorchFile {
        tensors = List.copyOf(tensors);
        leftOut = List.copyOf(leftOut);
    }

    /**
     * Reads a file, be it a zip or of PyTorch before 1.6.
     *
     * @param content the whole file
     * @param heapBytes what Java may use; a pickle that could need more is refused
     * @throws PickleFault when something is wrong with it, or it wants what no state dict needs
     */
    public static TorchFile read(MemorySegment content, long heapBytes) {
        if (ZipDirectory.isZip(content)) {
            return zip(content, heapBytes);
        }
        boolean pickle =
                content.byteSize() > 2 && (content.get(ValueLayout.JAVA_BYTE, 0) & 0xff) == PROTO;
        if (pickle) {
            return LegacyFile.read(content, heapBytes);
        }
        if (isTar(content)) {
            throw new PickleFault(
                    "is a tar of PyTorch before 0.1.10",
                    "",
                    "; load it with PyTorch and save its state_dict again");
        }
        throw PickleFault.damaged("is no file of torch.save");
    }

    private static boolean isTar(MemorySegment content) {
        byte[] magic = "ustar".getBytes(StandardCharsets.US_ASCII);
        return content.byteSize() > TAR_MAGIC_AT + magic.length
                && MemorySegment.ofArray(magic)
                                .mismatch(content.asSlice(TAR_MAGIC_AT, magic.length))
                        < 0;
    }

    private static TorchFile zip(MemorySegment content, long heapBytes) {
        Map<String, Entry> entries = ZipDirectory.read(content, heapBytes);
        String folder = folder(entries);
        if (entries.containsKey(folder + "constants.pkl")) {
            throw new PickleFault(
                    "is a TorchScript program, not the weights of a model",
                    "",
                    "; get the weights as safetensors, or save the model's state_dict");
        }
        requireVersion(content, entries.get(folder + "version"));
        Entry order = entries.get(folder + "byteorder");
        if (order != null && !text(content, order).equals("little")) {
            throw new PickleFault(
                    "has its numbers in the byte order ",
                    text(content, order),
                    ", which is not read here; save it again on a little-endian machine");
        }
        Entry pickle = stored(entries, folder + PICKLE);
        requireHeap(pickle.bytes(), heapBytes);
        Object top = new Unpickler(new PickleInput(content, pickle.start(), pickle.end())).run();
        StateDict.Found found = StateDict.in(top);
        List<StoredTensor> tensors =
                new Places(content.byteSize())
                        .tensors(
                                found,
                                storage -> {
                                    Entry entry = stored(entries, folder + "data/" + storage.key());
                                    return new Place(entry.start(), entry.bytes());
                                });
        return new TorchFile(tensors, found.leftOut());
    }

    /** The folder in the zip, named after the file at the time that it was saved, with its slash. */
    private static String folder(Map<String, Entry> entries) {
        List<String> pickles =
                entries.keySet().stream()
                        .filter(name -> name.equals(PICKLE) || name.endsWith("/" + PICKLE))
                        .toList();
        if (pickles.size() != 1) {
            throw PickleFault.damaged(
                    "is a zip with "
                            + (pickles.isEmpty() ? "no " : pickles.size() + " entries ")
                            + PICKLE
                            + ", not a file of torch.save");
        }
        String name = pickles.getFirst();
        return name.substring(0, name.length() - PICKLE.length());
    }

    private static void requireVersion(MemorySegment content, @Nullable Entry entry) {
        String version = entry == null ? "" : text(content, entry).strip();
        boolean number = version.matches("[0-9]{1,9}");
        if (entry != null && (!number || Integer.parseInt(version) > NEWEST)) {
            throw new PickleFault(
                    "is of version ",
                    version,
                    " of torch.save's archives, of which 1 to "
                            + NEWEST
                            + " are known here; save it with an older PyTorch, or as safetensors");
        }
    }

    private static Entry stored(Map<String, Entry> entries, String name) {
        Entry entry =
                Optional.ofNullable(entries.get(name))
                        .orElseThrow(() -> PickleFault.damaged("lacks its entry ", name, ""));
        if (entry.method() != 0) {
            throw new PickleFault(
                    "was zipped again: its entry ",
                    name,
                    " is compressed, which torch.save never does; unpack it and zip it with zip -0"
                            + " -r");
        }
        return entry;
    }

    static void requireHeap(long pickleBytes, long heapBytes) {
        if (pickleBytes > heapBytes / Unpickler.HEAP_PER_BYTE) {
            throw new PickleFault(
                    "has a pickle of " + pickleBytes + " bytes",
                    "",
                    ", which may need more heap than Java has; start Java with a larger -Xmx");
        }
    }

    /** A few letters; more are no word that is known here. */
    private static String text(MemorySegment content, Entry entry) {
        long length = entry.method() == 0 ? Math.min(entry.bytes(), 20) : 0;
        byte[] bytes = content.asSlice(entry.start(), length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
