package org.espalier.prune.calibrate;

/**
 * Hidden states between two blocks as they lie in a {@link StateFiles file}, so that a later run can take them up.
 *
 * @param file which of the two files
 * @param bytes its length
 * @param checksum CRC-32C of all its bytes, as hexadecimal digits
 */
public record SavedStates(int file, long bytes, String checksum) {}
