/** The command line: one class per command, exit codes and messages in one place. */
@NullMarked
package org.espalier.cli;

import org.jspecify.annotations.NullMarked;
