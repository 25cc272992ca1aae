/** Statistics of the calibration tokens: declared by the parts, gathered once, streaming. */
@NullMarked
package org.espalier.prune.calibrate;

import org.jspecify.annotations.NullMarked;
