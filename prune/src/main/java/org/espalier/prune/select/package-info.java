/** The one selection primitive and the mask that it returns. */
@NullMarked
package org.espalier.prune.select;

import org.jspecify.annotations.NullMarked;
