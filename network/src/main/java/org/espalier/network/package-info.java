/** Decoder language models on libtorch: families are descriptors, the forward pass is one. */
@NullMarked
package org.espalier.network;

import org.jspecify.annotations.NullMarked;
