package org.espalier.audit.verify;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Tells what hubs, clients, file managers and copy tools put beside a model from files that somebody added. Only the
 * names count, for no runtime reads a file of such a name. What is not known here counts as a change of the folder.
 */
final class Addition {
    /** Folders that tools keep, whatever lies in them. */
    private static final Set<String> FOLDERS =
            Set.of(
                    "lost+found",
                    "__pycache__",
                    "__macosx",
                    "system volume information",
                    "$recycle.bin",
                    "#recycle",
                    "#snapshot",
                    "@eadir",
                    "@recycle");

    private static final Set<String> NAMES =
            Set.of(
                    "thumbs.db",
                    "ehthumbs.db",
                    "ehthumbs_vista.db",
                    "desktop.ini",
                    "icon\r",
                    // What the Hub makes, or asks its users to add, when a model is published.
                    "readme",
                    "readme.md",
                    "readme.txt",
                    "model_card.md",
                    "modelcard.md",
                    "license",
                    "license.md",
                    "license.txt",
                    "licence",
                    "notice",
                    "notice.txt",
                    "notice.md",
                    "use_policy.md",
                    "citation.cff",
                    // What ModelScope and Kaggle describe a model with.
                    "configuration.json",
                    "dataset-metadata.json",
                    "model-metadata.json",
                    "model-instance-metadata.json",
                    "sha256sums",
                    "sha256sums.txt",
                    "md5sums",
                    "md5sums.txt",
                    "nohup.out");

    /** Notes, locks and leftovers of downloads and editors, checksums and signatures beside a file. */
    private static final Pattern ENDS =
            Pattern.compile(
                    ".*(\\.(metadata|lock|incomplete|part|partial|crdownload|download|aria2|tmp|temp|swp|swo|pyc"
                            + "|sha1|sha256|sha256sum|sha512|md5|asc|sig|crc32)|~|:zone\\.identifier)");

    private Addition() {}

    /**
     * Whether a file is known as what a tool leaves behind.
     *
     * @param name path below the model's folder, with forward slashes
     */
    static boolean isLeftBehind(String name) {
        String[] parts = name.toLowerCase(Locale.ROOT).split("/");
        for (int i = 0; i < parts.length; i++) {
            // .git, .cache, .gitattributes, .DS_Store, ._copies of macOS, .nfs... of a deleted
            // file: neither an import nor a search for weights looks at hidden names.
            boolean hidden = parts[i].startsWith(".");
            if (hidden || (i < parts.length - 1 && FOLDERS.contains(parts[i]))) {
                return true;
            }
        }
        String last = parts[parts.length - 1];
        return FOLDERS.contains(last) || NAMES.contains(last) || ENDS.matcher(last).matches();
    }
}
