/** Text and token files: what calibration and measurement read. */
@NullMarked
package org.espalier.network.text;

import org.jspecify.annotations.NullMarked;
