package org.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script, in a copy of the project with a stand-in for Java that prints its arguments. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {
    @TempDir Path folder;
    private Path project;
    private Path jdk;

    @BeforeEach
    void copyTheLauncher() throws IOException {
        project = Files.createDirectories(folder.resolve("project"));
        Path root = Runs.root();
        Assumptions.assumeTrue(Files.exists(root.resolve("espalier")), "no launcher in " + root);
        script(project.resolve("espalier"), Files.readString(root.resolve("espalier")));
        Files.createDirectories(project.resolve("etc"));
        for (String name : new String[] {"jdk.sh", "environment.sh", "java.options"}) {
            Files.copy(root.resolve("etc").resolve(name), project.resolve("etc").resolve(name));
        }
        Files.writeString(project.resolve("pom.xml"), "<project/>");
        Files.createDirectories(project.resolve("core/src/main/java"));
        Files.createDirectories(project.resolve("recipes"));
        Files.writeString(project.resolve("core/pom.xml"), "<project/>");
        Files.createDirectories(project.resolve("cli/target"));
        jdk = fakeJdk("jdk", "25.0.1");
    }

    @Test
    void startsJavaFromAnywhereAndThroughLinks() throws Exception {
        built();
        Path link = Files.createSymbolicLink(folder.resolve("link"), project.resolve("espalier"));
        Path again = Files.createSymbolicLink(folder.resolve("again"), Path.of("link"));
        Result result = run(again, Map.of(), "prune", "a model", "--out", "x");
        assertThat(result.err()).isEmpty();
        assertThat(result.code()).isZero();
        assertThat(result.out().lines())
                .contains("prune", "a model", "--out", "x", "org.espalier.cli.Main")
                .contains("@" + project.toRealPath().resolve("etc/java.options"))
                .contains("-Despalier.home=" + project.toRealPath())
                .contains("in " + folder.toRealPath());
        assertThat(link).isSymbolicLink();
    }

    @Test
    void namesAreUtf8WhateverTheLocale() throws Exception {
        built();
        script(jdk.resolve("bin/java"), "#!/bin/sh\nlocale charmap\n");
        for (String locale : new String[] {"C", "POSIX", "", "xx_YY.UTF-8", "de_DE.ISO-8859-1"}) {
            Result result =
                    run(
                            project.resolve("espalier"),
                            Map.of("LC_ALL", locale, "LANG", "C", "LC_CTYPE", "C"),
                            "inspect",
                            "mod\u00e8le");
            assertThat(result.out().strip()).as(locale).isEqualTo("UTF-8");
        }
    }

    @Test
    void aClosedStdoutIsNoFileThatJavaOpensNext() throws Exception {
        built();
        script(jdk.resolve("bin/java"), "#!/bin/sh\necho result || exit 7\n");
        String closed = "'" + project.resolve("espalier") + "' inspect x >&- 2>/dev/null";
        assertThat(bash(closed, "x").code()).isEqualTo(7);
    }

    @Test
    void aProjectThatCannotBeBuiltIsOneLine() throws Exception {
        Path target = project.resolve("cli/target");
        Files.delete(target);
        Files.writeString(target, "in the way");
        Result result = run(project.resolve("espalier"), Map.of(), "recipes");
        assertThat(result.code()).isEqualTo(Main.USER_ERROR);
        assertThat(result.err().lines())
                .singleElement()
                .asString()
                .startsWith("espalier: " + target.toRealPath() + " cannot be written");
    }

    @Test
    void versionAndHelpStartWithoutTheSwitchesOfTensorWork() throws Exception {
        built();
        for (String word : new String[] {"--version", "--help", "-h"}) {
            Result result = run(project.resolve("espalier"), Map.of(), word);
            assertThat(result.out().lines()).contains(word).noneMatch(line -> line.startsWith("@"));
        }
    }

    @Test
    void buildsOnFirstUseAndAgainWhenSourcesAreNewer() throws Exception {
        Path tools = maven("touch \"$PWD/built-by-maven\"");
        Map<String, String> path = Map.of("PATH", tools + ":" + System.getenv("PATH"));
        Result first = run(project.resolve("espalier"), path, "recipes");
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.err()).startsWith("building espalier").contains("build.log");
        assertThat(project.resolve("built-by-maven")).exists();
        assertThat(run(project.resolve("espalier"), path, "recipes").err()).isEmpty();
        TimeUnit.MILLISECONDS.sleep(20);
        Files.writeString(project.resolve("core/src/main/java/New.java"), "class New {}");
        assertThat(run(project.resolve("espalier"), path, "recipes").err())
                .startsWith("building espalier");
    }

    @Test
    void aFailedBuildIsOneLineThatNamesTheLog() throws Exception {
        Path tools = maven("echo broken; exit 1");
        Result result =
                run(
                        project.resolve("espalier"),
                        Map.of("PATH", tools + ":" + System.getenv("PATH")),
                        "recipes");
        assertThat(result.code()).isEqualTo(Main.USER_ERROR);
        assertThat(result.err().lines().toList().getLast())
                .startsWith("espalier: the build failed")
                .endsWith("build.log");
        assertThat(project.resolve("cli/target/build.log")).hasContent("broken");
    }

    @Test
    void onlyTheRightJavaWillDo() throws Exception {
        built();
        Path old = fakeJdk("old", "21.0.2");
        String isJdk = ". '" + project + "/etc/jdk.sh'; is_jdk_25 \"$0\"";
        assertThat(bash(isJdk, jdk.toString()).code()).isZero();
        assertThat(bash(isJdk, old.toString()).code()).isNotZero();
        assertThat(bash(isJdk, fakeJdk("later", "250.1").toString()).code()).isNotZero();
        assertThat(bash(isJdk, folder.toString()).code()).isNotZero();
        Result chosen =
                bash(
                        ". '" + project + "/etc/jdk.sh'; find_jdk; echo \"$JDK\"",
                        "x",
                        Map.of("ESPALIER_JAVA_HOME", old.toString(), "JAVA_HOME", jdk.toString()));
        assertThat(chosen.out().strip()).isEqualTo(jdk.toString());
    }

    @Test
    void withoutAnyJavaOneLineSaysWhatToInstall() throws Exception {
        Path launcher = project.resolve("espalier");
        script(
                project.resolve("etc/jdk.sh"),
                Files.readString(project.resolve("etc/jdk.sh")) + "\nfind_jdk() { return 1; }\n");
        Result result = run(launcher, Map.of(), "--version");
        assertThat(result.code()).isEqualTo(Main.USER_ERROR);
        assertThat(result.err().lines())
                .singleElement()
                .asString()
                .startsWith("espalier: no JDK 25 found; install one");
    }

    @Test
    void standardInputIsTheUsersAndClosedItIsEmpty() throws Exception {
        built();
        script(jdk.resolve("bin/java"), "#!/bin/sh\ncat\n");
        String launcher = "'" + project.resolve("espalier") + "' evaluate";
        assertThat(bash("echo words | " + launcher, "").out()).isEqualTo("words\n");
        assertThat(bash(launcher + " <&-", "").out()).isEmpty();
        assertThat(bash(launcher + " <&- 2>&-", "").code()).isZero();
        // A low descriptor of the user's reaches the program.
        script(jdk.resolve("bin/java"), "#!/bin/sh\ncat /dev/fd/3\n");
        assertThat(bash("exec 3< <(echo three); " + launcher, "").out()).isEqualTo("three\n");
    }

    @Test
    void theAnnouncementOfIncubatingModulesIsFilteredAndNothingElse() throws Exception {
        built();
        script(
                jdk.resolve("bin/java"),
                "#!/usr/bin/env bash\necho 'WARNING: Using incubator modules: jdk.incubator.vector' >&2\necho kept >&98\n");
        Result result = bash("'" + project.resolve("espalier") + "' evaluate", "");
        assertThat(result.err()).isEqualTo("kept\n");
    }

    /** The program with its stderr in a file that a filter would have got, and the real one aside. */
    @Test
    void theProgramPutsTheRealStderrBackAndWritesInOrder() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String program =
                "'%s' --enable-native-access=ALL-UNNAMED -Despalier.stderr=98 -cp '%s' org.espalier.cli.Main"
                        .formatted(java, classPath());
        Result result =
                bash(
                        "echo before >&2; "
                                + program
                                + " recipes no-such 98>&2 2>'"
                                + folder
                                + "/filtered';"
                                + " echo after >&2",
                        "");
        assertThat(result.err().lines().toList()).hasSize(3).first().isEqualTo("before");
        assertThat(result.err().lines().toList().get(1)).startsWith("espalier: ");
        assertThat(result.err().lines().toList().getLast()).isEqualTo("after");
        assertThat(folder.resolve("filtered")).isEmptyFile();
    }

    @Test
    void versionAndHelpNeverLoadLibtorch() throws Exception {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        for (String[] words :
                new String[][] {{"--version"}, {"--help"}, {"prune", "--help"}, {"recipes"}}) {
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    java.toString(),
                                    "-Xlog:class+load:file=" + folder.resolve("classes.log"),
                                    "-cp",
                                    classPath(),
                                    "org.espalier.cli.Main"));
            command.addAll(List.of(words));
            Result result = run(command, Map.of());
            assertThat(result.code()).as(result.err()).isZero();
            assertThat(result.out()).isNotBlank();
            assertThat(folder.resolve("classes.log"))
                    .content()
                    .contains("org.espalier.cli.Main")
                    .doesNotContain("org.bytedeco");
        }
    }

    /** This test's own class path, for a process that starts in another folder. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private record Result(int code, String out, String err) {}

    private void built() throws IOException {
        Files.writeString(project.resolve("cli/target/built"), "");
    }

    private Path fakeJdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve(name)).toRealPath();
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        script(
                home.resolve("bin/java"),
                "#!/bin/sh\necho \"in $PWD\"\nfor word in \"$@\"; do echo \"$word\"; done\n");
        script(home.resolve("bin/javac"), "#!/bin/sh\n");
        return home;
    }

    private Path maven(String body) throws IOException {
        Path tools = Files.createDirectories(folder.resolve("tools"));
        script(tools.resolve("mvn"), "#!/bin/sh\n" + body + "\n");
        return tools;
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private Result bash(String script, String argument) throws Exception {
        return bash(script, argument, Map.of());
    }

    private Result bash(String script, String argument, Map<String, String> environment)
            throws Exception {
        return run(List.of("bash", "-c", script, argument), environment);
    }

    private Result run(Path launcher, Map<String, String> environment, String... words)
            throws Exception {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(List.of(words));
        return run(command, environment);
    }

    private Result run(List<String> command, Map<String, String> environment) throws Exception {
        Path out = folder.resolve("stdout");
        Path err = folder.resolve("stderr");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().put("ESPALIER_JAVA_HOME", Objects.toString(jdk));
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
