/** Chats, written out as text by a model's own template. */
@NullMarked
package org.espalier.checkpoint.chat;

import org.jspecify.annotations.NullMarked;
