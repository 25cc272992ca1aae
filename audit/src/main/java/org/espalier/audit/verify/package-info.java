/** Derives again what a receipt claims. */
@NullMarked
package org.espalier.audit.verify;

import org.jspecify.annotations.NullMarked;
