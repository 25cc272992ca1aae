/** What every room shares: errors a user can mend and the one rounding rule. */
@NullMarked
package org.espalier.core;

import org.jspecify.annotations.NullMarked;
