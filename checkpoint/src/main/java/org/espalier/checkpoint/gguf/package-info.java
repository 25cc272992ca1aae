/**
 * GGUF, the model file of llama.cpp: the container, its quantized tensors and its tokenizers, and how they become the
 * tensors, the configuration and the tokenizer that Hugging Face would have.
 */
@NullMarked
package org.espalier.checkpoint.gguf;

import org.jspecify.annotations.NullMarked;
