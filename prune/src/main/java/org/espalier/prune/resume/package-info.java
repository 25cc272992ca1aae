/** Writes what is pruned so that an interrupted run can go on: finished blocks are noted in a journal. */
@NullMarked
package org.espalier.prune.resume;

import org.jspecify.annotations.NullMarked;
