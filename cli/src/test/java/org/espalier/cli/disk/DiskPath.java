package org.espalier.cli.disk;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import org.jspecify.annotations.Nullable;

/** A path on a {@link Disk}: the real path with the file system exchanged. */
record DiskPath(DiskFileSystem disk, Path real) implements Path {
    private Path on(Path path) {
        return new DiskPath(disk, path);
    }

    private @Nullable Path onOrNull(@Nullable Path path) {
        return path == null ? null : on(path);
    }

    static Path real(Path path) {
        return path instanceof DiskPath ours ? ours.real : path;
    }

    @Override
    public FileSystem getFileSystem() {
        return disk;
    }

    @Override
    public boolean isAbsolute() {
        return real.isAbsolute();
    }

    @Override
    public @Nullable Path getRoot() {
        return onOrNull(real.getRoot());
    }

    @Override
    public @Nullable Path getFileName() {
        return onOrNull(real.getFileName());
    }

    @Override
    public @Nullable Path getParent() {
        return onOrNull(real.getParent());
    }

    @Override
    public int getNameCount() {
        return real.getNameCount();
    }

    @Override
    public Path getName(int index) {
        return on(real.getName(index));
    }

    @Override
    public Path subpath(int begin, int end) {
        return on(real.subpath(begin, end));
    }

    @Override
    public boolean startsWith(Path other) {
        return other instanceof DiskPath ours && real.startsWith(ours.real);
    }

    @Override
    public boolean endsWith(Path other) {
        return other instanceof DiskPath ours && real.endsWith(ours.real);
    }

    @Override
    public Path normalize() {
        return on(real.normalize());
    }

    @Override
    public Path resolve(Path other) {
        return on(real.resolve(real(other)));
    }

    @Override
    public Path relativize(Path other) {
        return on(real.relativize(real(other)));
    }

    @Override
    public URI toUri() {
        return real.toUri();
    }

    @Override
    public Path toAbsolutePath() {
        return on(real.toAbsolutePath());
    }

    @Override
    public Path toRealPath(LinkOption... options) throws IOException {
        return on(real.toRealPath(options));
    }

    @Override
    public WatchKey register(
            WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int compareTo(Path other) {
        return real.compareTo(real(other));
    }

    @Override
    public String toString() {
        return real.toString();
    }
}
