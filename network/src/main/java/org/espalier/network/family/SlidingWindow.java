package org.espalier.network.family;

import org.jspecify.annotations.Nullable;

/**
 * Blocks that see only the last {@code window} tokens, the current one included.
 *
 * @param window number of tokens; null in config.json means no window
 * @param enabled switch without which no block has a window; null: there is no such switch
 * @param firstBlock the first block with a window; null: block 0
 * @param endBlock the first block from which on none has a window; null: there is none such
 * @param alternating whether of those between {@code firstBlock} and {@code endBlock} only blocks of even number have
 *     one, counted from 0
 * @param pattern every block whose number, counted from 1, is a multiple of it sees everything; null: none does
 * @param layerTypes list with {@code full_attention} or {@code sliding_attention} per block, which goes before
 *     all the rules above
 */
public record SlidingWindow(
        Setting window,
        @Nullable Setting enabled,
        @Nullable Setting firstBlock,
        @Nullable Setting endBlock,
        boolean alternating,
        @Nullable Setting pattern,
        @Nullable Setting layerTypes) {}
