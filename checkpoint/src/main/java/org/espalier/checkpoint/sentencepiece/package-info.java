/** SentencePiece models ({@code tokenizer.model}): the file, its normalizer, and its merges. */
@NullMarked
package org.espalier.checkpoint.sentencepiece;

import org.jspecify.annotations.NullMarked;
