/** Notes on the disk of what long work has finished, so that it can go on after any interruption. */
@NullMarked
package org.espalier.checkpoint.journal;

import org.jspecify.annotations.NullMarked;
