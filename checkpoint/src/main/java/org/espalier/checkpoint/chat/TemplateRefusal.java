package org.espalier.checkpoint.chat;

/** What a template says where it calls {@code raise_exception}. */
final class TemplateRefusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    TemplateRefusal(String reason) {
        super(reason);
    }
}
