/** How much memory a run takes, and what it does to take less. */
@NullMarked
package org.espalier.prune.memory;

import org.jspecify.annotations.NullMarked;
