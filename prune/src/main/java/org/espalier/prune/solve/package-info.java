/** Layer solvers: choose and repair in one piece; the OBS and least-squares kernels. */
@NullMarked
package org.espalier.prune.solve;

import org.jspecify.annotations.NullMarked;
