/** The account that every pruned checkpoint carries: {@code espalier.json}, {@code report.html}, and their verification. */
@NullMarked
package org.espalier.audit.receipt;

import org.jspecify.annotations.NullMarked;
