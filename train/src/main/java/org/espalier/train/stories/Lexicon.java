package org.espalier.train.stories;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.espalier.train.stories.Entity.Goods;
import org.espalier.train.stories.Entity.Place;
import tools.jackson.databind.JsonNode;

/** The word lists: names and traits for everybody, and for each domain its own words. Immutable. */
record Lexicon(
        List<Name> names, List<String> traits, List<String> weather, Map<Domain, Words> words) {
    record Name(String name, boolean female, boolean rare) {}

    /** A noun with its place in the frequency list. */
    record Noun(String text, boolean rare) {}

    /** One domain's words, each list by falling frequency. */
    record Words(
            List<String> roles,
            List<String> adjectives,
            List<Noun> things,
            List<Goods> goods,
            List<Place> places,
            List<Noun> builds,
            List<String> scenes) {}

    /** Makes an entry from a line of a list and whether its rank is rare. */
    private interface Maker<T> {
        T make(String first, String second, boolean rare);
    }

    static Lexicon load() {
        JsonNode people = Resources.yaml("people.yaml");
        JsonNode domains = Resources.yaml("domains.yaml");
        Map<Domain, Words> words = new EnumMap<>(Domain.class);
        for (Domain domain : Domain.values()) {
            words.put(domain, words(domains.required(domain.key())));
        }
        return new Lexicon(
                pairs(
                        people.required("names"),
                        " ",
                        (name, sex, rare) -> new Name(name, sex.equals("f"), rare)),
                Resources.list(people.required("traits")),
                Resources.list(Resources.yaml("weather.yaml").required("weather")),
                words);
    }

    Words of(Domain domain) {
        Words found = words.get(domain);
        if (found == null) {
            throw new IllegalStateException("no words for " + domain);
        }
        return found;
    }

    private static Words words(JsonNode node) {
        return new Words(
                Resources.list(node.required("roles")),
                Resources.list(node.required("adjectives")),
                nouns(node.required("things")),
                pairs(node.required("goods"), " | ", Goods::new),
                pairs(node.required("places"), " | ", Place::new),
                nouns(node.required("builds")),
                Resources.list(node.required("scenes")));
    }

    private static List<Noun> nouns(JsonNode node) {
        List<String> lines = Resources.list(node);
        List<Noun> nouns = new ArrayList<>();
        for (int rank = 0; rank < lines.size(); rank++) {
            nouns.add(new Noun(lines.get(rank), Zipf.rare(rank, lines.size())));
        }
        return List.copyOf(nouns);
    }

    private static <T> List<T> pairs(JsonNode node, String separator, Maker<T> maker) {
        List<T> entries = new ArrayList<>();
        for (Noun line : nouns(node)) {
            int cut = line.text().indexOf(separator);
            String second = line.text().substring(cut + separator.length());
            entries.add(maker.make(line.text().substring(0, cut), second, line.rare()));
        }
        return List.copyOf(entries);
    }
}
