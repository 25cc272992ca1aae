# Sourced by ./espalier: use_utf8 has Java read arguments and names of files as UTF-8, whatever the locale. They are bytes
# to the system; Java reads them by the locale alone, and in a container without one every letter beyond ASCII is lost.

use_utf8() {
    local name
    [ "$(locale charmap 2>/dev/null)" != UTF-8 ] || return 0
    for name in C.UTF-8 C.utf8 en_US.UTF-8 en_US.utf8; do
        if [ "$(env LC_ALL=$name locale charmap 2>/dev/null)" = UTF-8 ]; then
            export LC_ALL=$name
            return 0
        fi
    done
    # No such locale, or no command that tells: C libraries without either (musl) know this name.
    export LC_ALL=C.UTF-8
}
