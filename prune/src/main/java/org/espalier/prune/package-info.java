/** The engine: a recipe resolved against a model, and the walk through its blocks. */
@NullMarked
package org.espalier.prune;

import org.jspecify.annotations.NullMarked;
