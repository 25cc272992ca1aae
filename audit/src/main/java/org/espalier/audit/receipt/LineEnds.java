package org.espalier.audit.receipt;

import java.io.ByteArrayOutputStream;

/** Line ends of texts as bytes: git turns them into those of the system unless it is told not to. */
public final class LineEnds {
    /** The cause and the mend, to follow a message that names the change. */
    public static final String REMEDY =
            ", as git does with core.autocrlf; set that to false and check the folder out again, or copy it without git";

    private LineEnds() {}

    /** With LF in place of every CRLF. */
    public static byte[] toUnix(byte[] text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(text.length);
        for (int at = 0; at < text.length; at++) {
            boolean before = text[at] == '\r' && at + 1 < text.length && text[at + 1] == '\n';
            if (!before) {
                out.write(text[at]);
            }
        }
        return out.toByteArray();
    }

    /** With CRLF in place of every LF that does not follow a CR. */
    public static byte[] toWindows(byte[] text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(text.length + text.length / 16);
        for (int at = 0; at < text.length; at++) {
            if (text[at] == '\n' && (at == 0 || text[at - 1] != '\r')) {
                out.write('\r');
            }
            out.write(text[at]);
        }
        return out.toByteArray();
    }
}
