/** The receipt as a page for people: one file, no network, drawn from the receipt alone. */
@NullMarked
package org.espalier.audit.report;

import org.jspecify.annotations.NullMarked;
