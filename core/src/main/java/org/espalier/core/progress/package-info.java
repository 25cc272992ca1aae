/** Progress of long work, for terminals, pipes and later the dashboard. */
@NullMarked
package org.espalier.core.progress;

import org.jspecify.annotations.NullMarked;
