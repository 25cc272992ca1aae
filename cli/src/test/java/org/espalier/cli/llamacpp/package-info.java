/** Tests against a real llama.cpp; it leaves a native thread behind, so they run in a JVM of their own. */
@NullMarked
package org.espalier.cli.llamacpp;

import org.jspecify.annotations.NullMarked;
