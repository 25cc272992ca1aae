/** The account that every pruned checkpoint carries, {@code espalier.json}. */
@NullMarked
package org.espalier.audit.receipt;

import org.jspecify.annotations.NullMarked;
