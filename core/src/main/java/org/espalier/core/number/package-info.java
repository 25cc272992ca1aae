/** Numbers as people write them in recipes and on the command line. */
@NullMarked
package org.espalier.core.number;

import org.jspecify.annotations.NullMarked;
