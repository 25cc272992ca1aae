package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.espalier.audit.receipt.FileEntry;
import org.espalier.audit.receipt.ReceiptFile;
import org.espalier.audit.report.Report;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Compares what two runs of the same work have written. */
final class Folders {
    /** Both tell the time that a run took. */
    private static final Set<String> TIMED = Set.of(ReceiptFile.NAME, Report.NAME);

    private Folders() {}

    /** Same files, same bytes; the receipt equal in everything but {@code run} and the digest that covers it. */
    static void assertSame(Path undisturbed, Path disturbed, String about) throws IOException {
        assertThat(FileEntry.names(disturbed)).as(about).isEqualTo(FileEntry.names(undisturbed));
        assertThat(FileEntry.below(disturbed, TIMED))
                .as(about)
                .isEqualTo(FileEntry.below(undisturbed, TIMED));
        assertThat(receipt(disturbed)).as(about).isEqualTo(receipt(undisturbed));
        ReceiptFile.read(disturbed);
        assertThat(disturbed.resolveSibling("." + disturbed.getFileName() + ".partial"))
                .as(about)
                .doesNotExist();
    }

    private static ObjectNode receipt(Path folder) throws IOException {
        ObjectNode receipt =
                (ObjectNode)
                        JsonMapper.shared()
                                .readTree(Files.readString(folder.resolve(ReceiptFile.NAME)));
        assertThat(receipt.path("run").path("layerSeconds")).hasSize(TinyCheckpoint.BLOCKS * 7);
        receipt.remove("run");
        receipt.remove("digest");
        return receipt;
    }
}
