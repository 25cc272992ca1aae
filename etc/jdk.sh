# Sourced by ./espalier and .ci/run: find_jdk sets JDK to the home of a JDK 25, or fails.

# True if $1 is the home of a JDK (not a bare runtime) whose major version is 25.
is_jdk_25() {
    [ -n "$1" ] && [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 1
    if [ -r "$1/release" ]; then
        grep -q '^JAVA_VERSION="25[".+-]' "$1/release"
    else
        "$1/bin/java" -version 2>&1 | grep -q 'version "25[".+-]'
    fi
}

# The folder that holds bin/java, with every symbolic link followed ($1 is a command or a path of one).
java_home_of() {
    local path link
    path=$(command -v "$1" 2>/dev/null) || return 1
    while [ -L "$path" ]; do
        link=$(readlink "$path")
        case $link in
            /*) path=$link ;;
            *) path=$(dirname "$path")/$link ;;
        esac
    done
    (cd "$(dirname "$path")/.." 2>/dev/null && pwd -P)
}

find_jdk() {
    local candidate
    for candidate in \
        "${ESPALIER_JAVA_HOME-}" \
        "${JAVA_HOME-}" \
        "$(java_home_of javac || true)" \
        "$(java_home_of java || true)" \
        /usr/lib/jvm/* \
        /usr/lib64/jvm/* \
        /usr/java/* \
        /usr/local/java/* \
        /usr/local/lib/jvm/* \
        /opt/* \
        /opt/java/* \
        /opt/jdk/* \
        "${HOME-}"/.sdkman/candidates/java/* \
        "${HOME-}"/.jdks/* \
        "${HOME-}"/.asdf/installs/java/* \
        "${HOME-}"/.local/share/mise/installs/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
        /opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home \
        /usr/local/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home; do
        if is_jdk_25 "$candidate"; then
            JDK=$candidate
            return 0
        fi
    done
    return 1
}

JDK_MISSING='no JDK 25 found; install one (for example Eclipse Temurin 25: https://adoptium.net) or set JAVA_HOME to its folder'
