package org.espalier.core;

/**
 * A mistake that the user can mend: the message says what is wrong, where, and what to do, in one line. The command
 * line prints it without a stack trace and exits with code 2. Anything that is our own fault is some other exception.
 */
public final class UserError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UserError(String message) {
        super(message);
    }

    public UserError(String message, Throwable cause) {
        super(message, cause);
    }
}
