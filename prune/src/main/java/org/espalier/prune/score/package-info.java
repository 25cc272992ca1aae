/** Importance scores of single weights. */
@NullMarked
package org.espalier.prune.score;

import org.jspecify.annotations.NullMarked;
