/** From float32 to the blocks of ggml's tensor types, byte for byte as its reference quantizers make them. */
@NullMarked
package org.espalier.checkpoint.gguf.quantize;

import org.jspecify.annotations.NullMarked;
