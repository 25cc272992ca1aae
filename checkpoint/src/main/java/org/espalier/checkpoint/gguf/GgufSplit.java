package org.espalier.checkpoint.gguf;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.checkpoint.Text;
import org.espalier.core.UserError;
import org.jspecify.annotations.Nullable;

/**
 * Finds all parts of a model that {@code llama-gguf-split} has cut into files NAME-00001-of-00003.gguf, whichever of
 * them was given. The first has the metadata; each has some of the tensors, and says which part of how many it is.
 */
final class GgufSplit {
    private static final String NUMBER = "split.no";
    private static final String COUNT = "split.count";
    private static final String TENSORS = "split.tensors.count";

    private static final Pattern NAME = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

    /**
     * What a file says of itself.
     *
     * @param number which part it is, from 1
     * @param count how many there are; 1 for a whole file
     * @param tensors how many tensors all of them have; null where the file says nothing
     */
    private record Place(long number, long count, @Nullable Long tensors) {
        static Place of(GgufPart part) {
            Metadata metadata = new Metadata(part.path(), part.header().metadata());
            Long number = metadata.optionalWhole(NUMBER);
            Long count = metadata.optionalWhole(COUNT);
            return new Place(
                    number == null ? 1 : number + 1,
                    count == null || count < 2 ? 1 : count,
                    metadata.optionalWhole(TENSORS));
        }

        String words() {
            return "part " + number + " of " + count;
        }
    }

    private final GgufPart given;
    private final Place place;

    private GgufSplit(GgufPart given) {
        this.given = given;
        this.place = Place.of(given);
    }

    /**
     * All parts in their order, the given one among them. What is missing or does not belong together is a
     * {@link UserError}; then the other parts are closed again, the given one is not.
     */
    static List<GgufPart> complete(GgufPart given) {
        GgufSplit split = new GgufSplit(given);
        if (split.place.count() == 1) {
            return List.of(given);
        }
        List<GgufPart> parts = new ArrayList<>();
        boolean whole = false;
        try {
            split.open(split.paths(), parts);
            split.check(parts);
            whole = true;
            return List.copyOf(parts);
        } finally {
            if (!whole) {
                parts.stream()
                        .filter(part -> !part.path().equals(given.path()))
                        .forEach(GgufPart::close);
            }
        }
    }

    private List<Path> paths() {
        String name = String.valueOf(given.path().getFileName());
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new UserError(
                    given.path()
                            + " is "
                            + place.words()
                            + " of a split model, but not named as one; give all parts their names back,"
                            + " NAME-00001-of-"
                            + "%05d".formatted(place.count())
                            + ".gguf and so on");
        }
        if (Long.parseLong(matcher.group(2)) != place.number()
                || Long.parseLong(matcher.group(3)) != place.count()) {
            throw new UserError(
                    given.path()
                            + " is "
                            + place.words()
                            + " of a split model, whatever its name says; give it its name back");
        }
        List<Path> paths = new ArrayList<>();
        for (long number = 1; number <= place.count(); number++) {
            Path path =
                    given.path()
                            .resolveSibling(
                                    "%s-%05d-of-%05d.gguf"
                                            .formatted(matcher.group(1), number, place.count()));
            if (!Files.isRegularFile(path)) {
                throw new UserError(
                        given.path()
                                + " is "
                                + place.words()
                                + " of a split model, and part "
                                + number
                                + " is missing; put "
                                + path.getFileName()
                                + " beside it");
            }
            paths.add(path);
        }
        return paths;
    }

    private void open(List<Path> paths, List<GgufPart> parts) {
        for (int i = 0; i < paths.size(); i++) {
            GgufPart part = i == place.number() - 1 ? given : GgufPart.open(paths.get(i));
            parts.add(part);
            Place own = Place.of(part);
            boolean fits =
                    own.number() == i + 1
                            && own.count() == place.count()
                            && (own.tensors() == null
                                    || place.tensors() == null
                                    || own.tensors().equals(place.tensors()));
            if (!fits) {
                throw apart(part, "says it is " + own.words() + tensors(own));
            }
        }
    }

    private static String tensors(Place place) {
        return place.tensors() == null ? "" : " with " + place.tensors() + " tensors";
    }

    private void check(List<GgufPart> parts) {
        Map<String, GgufPart> owners = new HashMap<>();
        GgufValue architecture = parts.getFirst().header().metadata().get("general.architecture");
        for (GgufPart part : parts) {
            GgufValue own = part.header().metadata().get("general.architecture");
            if (own != null && architecture != null && !own.equals(architecture)) {
                throw apart(part, "is of another architecture than the first part");
            }
            for (String name : part.header().tensors().keySet()) {
                GgufPart other = owners.put(name, part);
                if (other != null) {
                    throw apart(
                            part,
                            "has the tensor "
                                    + Text.quote(name)
                                    + ", which is in "
                                    + other.path().getFileName()
                                    + " too");
                }
            }
        }
        Long expected = place.tensors();
        if (expected != null && owners.size() != expected) {
            throw new UserError(
                    given.path()
                            + " and the other parts have "
                            + owners.size()
                            + " tensors and not "
                            + expected
                            + ", as they say; they are not parts of one model: download all of them again");
        }
    }

    private UserError apart(GgufPart part, String what) {
        return new UserError(
                part.path()
                        + " "
                        + what
                        + " and so does not belong to "
                        + (part.path().equals(given.path())
                                ? "the other parts"
                                : given.path().getFileName())
                        + "; download all parts of one model again");
    }
}
