package org.espalier.network.text;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.espalier.core.UserError;

/**
 * The one reading of a file or stream: its characters, and the checksum of the very bytes that they were made of.
 * Packing with gzip and the encoding are found out from the bytes.
 */
final class TextInput implements Closeable {
    /** Characters that are read at most, blank lines and keys that nobody reads included. */
    private static final long MOST_CHARACTERS = 1L << 30;

    /** A file up to this size is read to its end for its checksum, even where less of its text was needed. */
    private static final long READ_WHOLE = 1L << 28;

    private static final Set<String> STANDARD_INPUT =
            Set.of("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0");

    private final Path file;
    private final MessageDigest digest;
    private final ByteInput stored;
    private final CharacterInput characters;

    /** Opens what the user named; {@code -} is standard input. */
    TextInput(Path file) {
        this.file = file;
        this.digest = sha256();
        try {
            this.stored = new ByteInput(open(file), digest::update);
            this.characters = characters(stored);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Whether a file that the user named is the standard input. */
    static boolean isStandardInput(Path file) {
        return STANDARD_INPUT.contains(file.toString());
    }

    /** How a file is called in messages and receipts. */
    static String name(Path file) {
        return isStandardInput(file) ? "standard input" : String.valueOf(file.getFileName());
    }

    private static InputStream open(Path file) throws IOException {
        if (isStandardInput(file)) {
            // Opening /dev/stdin anew would fail for a socket.
            return new FileInputStream(FileDescriptor.in);
        }
        if (Files.isDirectory(file)) {
            throw new UserError(file + " is a folder; a .txt or .jsonl file is needed");
        }
        if (!Files.exists(file)) {
            String why =
                    Files.isSymbolicLink(file)
                            ? " is a link to a file that does not exist"
                            : " does not exist";
            throw new UserError(file + why);
        }
        return Files.newInputStream(file);
    }

    private CharacterInput characters(ByteInput bytes) throws IOException {
        byte[] head = bytes.head();
        InputStream content = bytes;
        if (head.length > 1 && (head[0] & 0xff) == 0x1f && (head[1] & 0xff) == 0x8b) {
            ByteInput unpacked =
                    new ByteInput(new GZIPInputStream(bytes, ByteInput.BLOCK), (_, _, _) -> {});
            head = unpacked.head();
            content = unpacked;
            if (head.length > 1 && (head[0] & 0xff) == 0x1f && (head[1] & 0xff) == 0x8b) {
                throw new UserError(
                        named() + " is packed with gzip twice: unpack it once with gunzip");
            }
        }
        Signatures.refusal(head)
                .ifPresent(why -> {
                    throw new UserError(named() + " " + why);
                });
        Encodings.Encoding encoding = Encodings.of(head);
        if (encoding.charset().equals(StandardCharsets.UTF_8) && Signatures.isBinary(head)) {
            throw new UserError(
                    named()
                            + " is no text: many of its first bytes are zero, as in a binary file or one whose"
                            + " download broke off");
        }
        content.skipNBytes(encoding.mark());
        return new CharacterInput(
                new InputStreamReader(
                        new BufferedInputStream(content, ByteInput.BLOCK),
                        encoding.charset()
                                .newDecoder()
                                .onMalformedInput(CodingErrorAction.REPORT)
                                .onUnmappableCharacter(CodingErrorAction.REPORT)),
                MOST_CHARACTERS);
    }

    CharacterInput characters() {
        return characters;
    }

    /** Name of the file; empty for standard input, whose name says nothing. */
    String fileName() {
        return isStandardInput(file) ? "" : String.valueOf(file.getFileName());
    }

    /** How the file is called in messages. */
    String named() {
        return isStandardInput(file) ? "standard input" : file.toString();
    }

    /**
     * What was read. A regular file of moderate size is read to its end first, so that its checksum is the file's.
     *
     * @param complete whether nothing of the text was left unread
     * @param notes what the user should know
     */
    Origin origin(boolean complete, List<String> notes) throws IOException {
        boolean moderate = Files.isRegularFile(file) && Files.size(file) <= READ_WHOLE;
        if (moderate) {
            stored.transferTo(OutputStream.nullOutputStream());
        }
        boolean whole = complete || moderate;
        return new Origin(
                file,
                name(file),
                HexFormat.of().formatHex(digest.digest()),
                whole ? null : stored.bytes(),
                complete,
                notes);
    }

    /** What went wrong while reading, in one line. */
    UserError unreadable(IOException e) {
        if (e instanceof CharacterCodingException) {
            return new UserError(
                    named()
                            + " is not UTF-8 text; convert it, for example with iconv -f LATIN1 -t UTF-8",
                    e);
        }
        if (e instanceof ZipException || e instanceof EOFException) {
            return new UserError(
                    named()
                            + " is packed with gzip and damaged ("
                            + e.getMessage()
                            + "); get it again",
                    e);
        }
        if (e instanceof AccessDeniedException) {
            return new UserError(named() + " cannot be read: permission denied", e);
        }
        return new UserError(named() + " cannot be read: " + e.getMessage(), e);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public void close() {
        try {
            if (!isStandardInput(file)) {
                stored.close();
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }
}
