/** Which weights are compared with each other, and in which shape they go. */
@NullMarked
package org.espalier.core.pattern;

import org.jspecify.annotations.NullMarked;
