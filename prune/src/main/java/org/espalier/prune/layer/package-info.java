/** One matrix to be pruned, and what became of it. */
@NullMarked
package org.espalier.prune.layer;

import org.jspecify.annotations.NullMarked;
