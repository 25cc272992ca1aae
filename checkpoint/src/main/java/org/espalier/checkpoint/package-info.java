/**
 * Model files: safetensors and Hugging Face checkpoint folders, in and out, and their tokenizers. Everything read here
 * was written by somebody else, so every byte is checked before it is believed.
 */
@NullMarked
package org.espalier.checkpoint;

import org.jspecify.annotations.NullMarked;
