package org.espalier.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import org.espalier.checkpoint.pickle.Places.Place;
import org.espalier.checkpoint.pickle.Values.Dict;
import org.espalier.checkpoint.pickle.Values.Items;
import org.espalier.checkpoint.pickle.Values.Storage;

/**
 * The files of PyTorch before 1.6 (torch/serialization.py, _legacy_save): pickles of a magic number, a version, the
 * machine, the object and the keys of its storages, and then the storages one after the other, each behind the number of
 * its elements.
 */
final class LegacyFile {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final long VERSION = 1001;

    private LegacyFile() {}

    static TorchFile read(MemorySegment content, long heapBytes) {
        // Nothing says how long the pickles are; what does not end within this is no state dict.
        long end = Math.min(content.byteSize(), heapBytes / Unpickler.HEAP_PER_BYTE);
        PickleInput input = new PickleInput(content, 0, end);
        Object magic = new Unpickler(input).run();
        if (!MAGIC.equals(magic)) {
            throw new PickleFault(
                    "is a bare pickle, not a file of torch.save",
                    "",
                    "; save the model's state_dict with torch.save, or get it as safetensors");
        }
        Object version = new Unpickler(input).run();
        if (!Long.valueOf(VERSION).equals(version)) {
            throw PickleFault.damaged("is of an unknown version of torch.save");
        }
        if (new Unpickler(input).run() instanceof Dict machine
                && Boolean.FALSE.equals(machine.entries().get("little_endian"))) {
            throw new PickleFault(
                    "has its numbers in the byte order of a big-endian machine",
                    "",
                    ", which is not read here; save it again on a little-endian one");
        }
        Unpickler object = new Unpickler(input);
        StateDict.Found found = StateDict.in(object.run());
        Object keys = new Unpickler(input).run();
        if (!(keys instanceof Items list)) {
            throw PickleFault.damaged("has no list of its storages");
        }
        Map<String, Place> places = places(content, input.position(), list, object.storages());
        return new TorchFile(
                new Places(content.byteSize())
                        .tensors(
                                found,
                                storage -> {
                                    Place place = places.get(storage.key());
                                    if (place == null) {
                                        throw missing(storage.key());
                                    }
                                    return place;
                                }),
                found.leftOut());
    }

    private static Map<String, Place> places(
            MemorySegment content, long first, Items keys, Map<String, Storage> storages) {
        Map<String, Place> places = new HashMap<>();
        PickleInput input = new PickleInput(content, first, content.byteSize());
        for (Object key : keys.items()) {
            Storage storage = key instanceof String name ? storages.get(name) : null;
            if (storage == null) {
                throw PickleFault.damaged("has a storage that no tensor uses");
            }
            long elements = input.signedLong();
            if (elements != storage.elements()) {
                throw PickleFault.damaged(
                        "has the storage ",
                        storage.key(),
                        " of " + elements + " elements instead of " + storage.elements());
            }
            Place place = new Place(input.position(), storage.bytes());
            input.skip(place.bytes());
            if (places.put(storage.key(), place) != null) {
                throw PickleFault.damaged("has the storage ", storage.key(), " twice");
            }
        }
        return places;
    }

    private static PickleFault missing(String key) {
        return PickleFault.damaged("lacks its storage ", key, "");
    }
}
