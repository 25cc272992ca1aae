/** How the survivors make up for what was removed, on an explicit mask. */
@NullMarked
package org.espalier.prune.repair;

import org.jspecify.annotations.NullMarked;
