package org.espalier.cli.disk;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Hands every operation on a path of a {@link Disk} to the real one, past the disk's accounts. */
final class DiskProvider extends FileSystemProvider {
    private final DiskFileSystem system;
    private final Disk disk;

    DiskProvider(DiskFileSystem system) {
        this.system = system;
        this.disk = system.disk();
    }

    private Path read(Path path) {
        disk.requirePower();
        return DiskPath.real(path);
    }

    private static FileSystemProvider provider(Path real) {
        return real.getFileSystem().provider();
    }

    @Override
    public FileChannel newFileChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        Path real = read(path);
        Set<OpenOption> rest = new HashSet<>(options);
        boolean cuts = rest.remove(StandardOpenOption.TRUNCATE_EXISTING);
        boolean creates = rest.contains(StandardOpenOption.CREATE) && !Files.exists(real);
        if (creates) {
            disk.grow();
        }
        FileChannel channel = FileChannel.open(real, rest, attributes);
        if (creates) {
            disk.created(real);
        }
        DiskChannel ours = new DiskChannel(disk, real, channel);
        if (cuts && channel.size() > 0) {
            ours.truncate(0);
        }
        return ours;
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(
            Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(read(folder))) {
            for (Path entry : found) {
                if (filter.accept(system.path(entry))) {
                    entries.add(system.path(entry));
                }
            }
        }
        return new DirectoryStream<>() {
            @Override
            public Iterator<Path> iterator() {
                return entries.iterator();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
        Path real = read(folder);
        disk.grow();
        Files.createDirectory(real, attributes);
        disk.created(real);
    }

    @Override
    public void delete(Path path) throws IOException {
        Path real = read(path);
        disk.operation();
        Files.delete(real);
        disk.deleted(real);
    }

    @Override
    public void move(Path from, Path to, CopyOption... options) throws IOException {
        disk.operation();
        Files.move(read(from), read(to), options);
        disk.moved(DiskPath.real(from), DiskPath.real(to));
    }

    @Override
    public void copy(Path from, Path to, CopyOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        return Files.isSameFile(read(path), read(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return Files.isHidden(read(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return Files.getFileStore(read(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        Path real = read(path);
        provider(real).checkAccess(real, modes);
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(
            Path path, Class<V> type, LinkOption... options) {
        return Files.getFileAttributeView(read(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(
            Path path, Class<A> type, LinkOption... options) throws IOException {
        return Files.readAttributes(read(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
            throws IOException {
        return Files.readAttributes(read(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String getScheme() {
        return "disk";
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Path getPath(URI uri) {
        throw new UnsupportedOperationException();
    }
}
