/** Recipes: the YAML form of a pruning method, read with all faults reported together. */
@NullMarked
package org.espalier.core.recipe;

import org.jspecify.annotations.NullMarked;
