/** Trains byte-level byte-pair encodings and writes them as Hugging Face tokenizer files. */
@NullMarked
package org.espalier.train.tokenizer;

import org.jspecify.annotations.NullMarked;
