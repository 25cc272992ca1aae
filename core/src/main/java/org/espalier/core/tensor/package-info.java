/** The awkward sides of libtorch, handled once: loading, threads, scopes, zero-copy views. */
@NullMarked
package org.espalier.core.tensor;

import org.jspecify.annotations.NullMarked;
