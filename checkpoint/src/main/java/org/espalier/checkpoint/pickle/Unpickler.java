package org.espalier.checkpoint.pickle;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.checkpoint.pickle.Values.Dict;
import org.espalier.checkpoint.pickle.Values.Items;
import org.espalier.checkpoint.pickle.Values.Plain;
import org.espalier.checkpoint.pickle.Values.Storage;
import org.espalier.checkpoint.pickle.Values.Tuple;
import org.espalier.checkpoint.pickle.Values.View;

/**
 * The stack machine of pickle, protocols 0 to 5 (CPython, Lib/pickletools.py), without its powers: names are looked up
 * in {@link Known} alone, and nothing is imported, called or given a state. Its work and memory grow with the length of
 * the pickle and not faster.
 */
final class Unpickler {
    /** Heap bytes that a byte of pickle may cost at worst: an empty dict, or the entry of a tensor with its views. */
    static final long HEAP_PER_BYTE = 128;

    private final PickleInput input;
    private final List<Object> stack = new ArrayList<>();

    /** Heights of the stack at the marks. */
    private final Deque<Integer> marks = new ArrayDeque<>();

    private final Map<Long, Object> memo = new HashMap<>();
    private final Map<String, Storage> storages = new HashMap<>();

    Unpickler(PickleInput input) {
        this.input = input;
    }

    /** Runs one pickle to its end and gives what it leaves. */
    Object run() {
        while (true) {
            int code = input.unsignedByte();
            if (code == '.') {
                return pop();
            }
            if (!constant(code) && !container(code) && !memory(code) && !object(code)) {
                throw PickleFault.damaged(
                        "has the byte "
                                + code
                                + " where an instruction of its pickle is due, at byte "
                                + (input.position() - 1));
            }
        }
    }

    /** The storages that the pickle has referred to, by their keys. */
    Map<String, Storage> storages() {
        return storages;
    }

    private boolean constant(int code) {
        switch (code) {
            case 'N' -> push(Plain.NONE);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'I' -> integer();
            case 'J' -> push((long) input.signedInt());
            case 'K' -> push((long) input.unsignedByte());
            case 'M' -> push((long) input.unsignedShort());
            case 'L' -> push(input.decimal());
            case 0x8a -> push(input.number(input.unsignedByte()));
            case 0x8b -> push(input.number(input.unsignedInt()));
            case 'F' -> push(input.decimalFraction());
            case 'G' -> push(input.bigEndianDouble());
            case 'S' -> push(unquoted(input.line()));
            case 'T' -> push(input.latin1(input.unsignedInt()));
            case 'U' -> push(input.latin1(input.unsignedByte()));
            case 'V' -> push(input.line());
            case 'X' -> push(input.utf8(input.unsignedInt()));
            case 0x8c -> push(input.utf8(input.unsignedByte()));
            case 0x8d -> push(input.utf8(input.signedLong()));
            case 'B' -> bytes(input.unsignedInt());
            case 'C' -> bytes(input.unsignedByte());
            case 0x8e, 0x96 -> bytes(input.signedLong());
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean container(int code) {
        switch (code) {
            case '(' -> marks.push(stack.size());
            case ')' -> push(new Tuple(List.of()));
            case 0x85, 0x86, 0x87 -> push(new Tuple(take(code - 0x84)));
            case 't' -> push(new Tuple(takeToMark()));
            case ']' -> push(new Items());
            case 'l' -> {
                List<Object> items = takeToMark();
                Items list = new Items();
                list.items().addAll(items);
                push(list);
            }
            case 'a' -> {
                Object item = pop();
                top(Items.class).items().add(item);
            }
            case 'e' -> {
                List<Object> items = takeToMark();
                top(Items.class).items().addAll(items);
            }
            case '}' -> push(new Dict());
            case 'd' -> {
                List<Object> pairs = takeToMark();
                push(new Dict());
                putAll(pairs);
            }
            case 's' -> putAll(take(2));
            case 'u' -> putAll(takeToMark());
            case 0x8f -> push(Plain.SET);
            case 0x90 -> {
                takeToMark();
                top(Plain.class);
            }
            case 0x91 -> {
                takeToMark();
                push(Plain.SET);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean memory(int code) {
        switch (code) {
            case 0x80 -> protocol(input.unsignedByte());
            case 0x95 -> input.signedLong();
            case '0' -> discard();
            case '1' -> takeToMark();
            case '2' -> push(top(Object.class));
            case 'g' -> push(recall(input.decimal()));
            case 'h' -> push(recall((long) input.unsignedByte()));
            case 'j' -> push(recall(input.unsignedInt()));
            case 'p' -> remember(input.decimal());
            case 'q' -> remember((long) input.unsignedByte());
            case 'r' -> remember(input.unsignedInt());
            case 0x94 -> remember((long) memo.size());
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean object(int code) {
        switch (code) {
            case 'c' -> {
                String module = input.line();
                push(Known.of(module, input.line()));
            }
            case 0x93 -> {
                List<Object> names = take(2);
                push(Known.of(text(names.get(0)), text(names.get(1))));
            }
            case 'R', 0x81 -> {
                List<Object> call = take(2);
                push(call(call.get(0), call.get(1)));
            }
            case 'b' -> {
                pop();
                requireState(top(Object.class));
            }
            case 'Q' -> push(storage(pop()));
            case 'i' -> {
                String module = input.line();
                Object known = Known.of(module, input.line());
                push(call(known, new Tuple(takeToMark())));
            }
            case 'o' -> {
                List<Object> call = takeToMark();
                if (call.isEmpty()) {
                    throw empty();
                }
                push(call(call.getFirst(), new Tuple(call.subList(1, call.size()))));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Object call(Object function, Object arguments) {
        if (function instanceof Call call && arguments instanceof Tuple tuple) {
            return call.apply(tuple);
        }
        throw PickleFault.damaged("calls in its pickle what is no function");
    }

    /** The attributes of an ordered dict (versions of modules) or of a tensor are of no use here and left out. */
    private static void requireState(Object value) {
        if (!(value instanceof Dict) && !(value instanceof View)) {
            throw PickleFault.damaged("gives a state in its pickle to what has none");
        }
    }

    /** ('storage', class, key, device, elements), in old files with a view that is None. */
    private Storage storage(Object id) {
        if (id instanceof Tuple(List<Object> parts)
                && parts.size() >= 5
                && "storage".equals(parts.get(0))
                && parts.get(1) instanceof Known.StorageClass(ElementType type)
                && parts.get(2) instanceof String key
                && parts.get(4) instanceof Long elements
                && elements >= 0
                && elements <= Long.MAX_VALUE / Long.BYTES
                && (parts.size() == 5 || parts.get(5) == Plain.NONE)) {
            Storage storage = new Storage(type, key, elements);
            Storage other = storages.putIfAbsent(key, storage);
            if (other != null && !other.equals(storage)) {
                throw PickleFault.damaged("refers to the storage ", key, " as two different ones");
            }
            return storage;
        }
        throw new PickleFault(
                "refers to something that is no plain storage of numbers",
                "",
                "; save the model's state_dict again, best as safetensors");
    }

    /** Protocol 0 has no instruction of its own for true and false. */
    private void integer() {
        long from = input.position();
        Object number = input.decimal();
        boolean padded = input.position() - from == 3;
        if (padded && (number.equals(0L) || number.equals(1L))) {
            push(number.equals(1L));
        } else {
            push(number);
        }
    }

    private void bytes(long length) {
        input.skip(length);
        push(Plain.BYTES);
    }

    private static void protocol(int version) {
        if (version > 5) {
            throw new PickleFault(
                    "is a pickle of protocol " + version,
                    "",
                    ", of which 0 to 5 are known here; save it again with torch.save");
        }
    }

    private static String unquoted(String line) {
        int last = line.length() - 1;
        boolean quoted = last > 0 && (line.charAt(0) == '\'' || line.charAt(0) == '"');
        return quoted && line.charAt(last) == line.charAt(0) ? line.substring(1, last) : line;
    }

    private static String text(Object name) {
        if (name instanceof String text) {
            return text;
        }
        throw PickleFault.damaged("has a name in its pickle that is no text");
    }

    private void remember(Object index) {
        memo.put(index(index), top(Object.class));
    }

    private Object recall(Object index) {
        Object value = memo.get(index(index));
        if (value == null) {
            throw PickleFault.damaged("recalls in its pickle what it has not stored");
        }
        return value;
    }

    private static Long index(Object index) {
        if (index instanceof Long number && number >= 0) {
            return number;
        }
        throw PickleFault.damaged("counts below zero or too far in its pickle");
    }

    private void putAll(List<Object> pairs) {
        Dict dict = top(Dict.class);
        if (pairs.size() % 2 != 0) {
            throw PickleFault.damaged("has a key without a value in its pickle");
        }
        for (int i = 0; i < pairs.size(); i += 2) {
            dict.put(pairs.get(i), pairs.get(i + 1));
        }
    }

    private void push(Object value) {
        stack.add(value);
    }

    private int floor() {
        Integer mark = marks.peek();
        return mark == null ? 0 : mark;
    }

    private Object pop() {
        if (stack.size() <= floor()) {
            throw empty();
        }
        return stack.removeLast();
    }

    private void discard() {
        if (!marks.isEmpty() && stack.size() == floor()) {
            marks.pop();
        } else {
            pop();
        }
    }

    private <T> T top(Class<T> kind) {
        if (stack.size() <= floor()) {
            throw empty();
        }
        Object top = stack.getLast();
        if (!kind.isInstance(top)) {
            throw PickleFault.damaged("adds in its pickle to what cannot hold it");
        }
        return kind.cast(top);
    }

    private List<Object> take(int count) {
        if (stack.size() - floor() < count) {
            throw empty();
        }
        return cut(stack.size() - count);
    }

    private List<Object> takeToMark() {
        if (marks.isEmpty()) {
            throw empty();
        }
        return cut(marks.pop());
    }

    private List<Object> cut(int from) {
        List<Object> tail = stack.subList(from, stack.size());
        List<Object> taken = List.copyOf(tail);
        tail.clear();
        return taken;
    }

    private static PickleFault empty() {
        return PickleFault.damaged("takes in its pickle from an empty stack");
    }
}
