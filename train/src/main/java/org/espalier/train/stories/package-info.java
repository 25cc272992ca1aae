/**
 * Small stories told from a world that keeps account: who has what and how many, who is where, what the weather is.
 * Events change the world and are told in sentences, so every question that the world can answer has an answer known
 * to be right. The words and sentences are our own and live in resource files.
 */
@NullMarked
package org.espalier.train.stories;

import org.jspecify.annotations.NullMarked;
