/** What pruning did to a language model: perplexity, and divergence from the model that it was. */
@NullMarked
package org.espalier.audit.language;

import org.jspecify.annotations.NullMarked;
