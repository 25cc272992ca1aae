package org.espalier.network;

import java.util.stream.Stream;

/** One of the awkward little models: every switch of every family is thrown in at least one of them. */
interface TinyModels {
    /** Name of the constant, for messages. */
    String name();

    /** A random checkpoint; the same for the same seed. */
    TinyModel make(long seed);

    /** All of them. */
    static Stream<TinyModels> all() {
        return Stream.of(TinyLlamas.values(), TinyClassics.values(), TinyMixtures.values())
                .flatMap(Stream::of);
    }
}
