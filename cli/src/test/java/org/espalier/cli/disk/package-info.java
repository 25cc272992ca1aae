/** A disk that fills up or loses power at a chosen moment, over a real folder. */
@NullMarked
package org.espalier.cli.disk;

import org.jspecify.annotations.NullMarked;
