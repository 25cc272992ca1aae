package org.espalier.network;

/**
 * The widths of multi-head latent attention (arXiv 2405.04434).
 *
 * @param queryRank width of the short vector of the queries; 0: queries are made at once
 * @param keyValueRank width of the short vector of keys and values
 * @param plainWidth channels of a query or key, the first ones, that are not rotated
 * @param rotaryWidth channels that are
 * @param valueWidth channels of a value
 * @param interleaved whether the file pairs neighbouring channels and not the halves
 */
public record Latent(
        long queryRank,
        long keyValueRank,
        long plainWidth,
        long rotaryWidth,
        long valueWidth,
        boolean interleaved) {}
