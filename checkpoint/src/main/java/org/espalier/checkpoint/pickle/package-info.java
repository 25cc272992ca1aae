/**
 * The files of {@code torch.save}: the zip, the pickle in it, and the tensors that the pickle describes. Nothing of a
 * pickle is ever carried out: a few names that make up a state dict are known, and every other is refused.
 */
@org.jspecify.annotations.NullMarked
package org.espalier.checkpoint.pickle;
