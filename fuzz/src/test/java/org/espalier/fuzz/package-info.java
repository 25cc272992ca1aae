/** Fuzz targets: whatever a file of a stranger holds, it is read, or refused in one line. */
@NullMarked
package org.espalier.fuzz;

import org.jspecify.annotations.NullMarked;
