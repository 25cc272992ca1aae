/**
 * What layer solvers and repairs share: the fused sweep kernels and the factorizations behind optimal brain surgery and
 * least squares. Nothing here chooses weights or reads a recipe.
 */
@org.jspecify.annotations.NullMarked
package org.espalier.prune.solve.kernel;
