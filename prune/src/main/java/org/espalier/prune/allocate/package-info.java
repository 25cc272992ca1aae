/** How the budget is spread over the layers, and the one exact budget restorer. */
@NullMarked
package org.espalier.prune.allocate;

import org.jspecify.annotations.NullMarked;
