/** YAML in which nothing is read as something else. */
@NullMarked
package org.espalier.core.yaml;

import org.jspecify.annotations.NullMarked;
