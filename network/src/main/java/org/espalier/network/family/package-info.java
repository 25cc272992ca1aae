/** Model families as data: what a decoder's tensors and configuration keys are called, and which switches it sets. */
@NullMarked
package org.espalier.network.family;

import org.jspecify.annotations.NullMarked;
