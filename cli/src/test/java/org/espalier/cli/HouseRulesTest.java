package org.espalier.cli;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The rules of the house (docs/architecture.md), held against the compiled classes. */
class HouseRulesTest {
    /** From the ground floor up. */
    private static final List<String> ROOMS =
            List.of("core", "checkpoint", "network", "prune", "train", "audit", "cli");

    /** Fewer classes than this would mean that the rules looked past the house. */
    private static final int PLAUSIBLE_CLASSES = 150;

    private static final JavaClasses HOUSE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("org.espalier");

    @Test
    void theRulesLookAtTheWholeHouse() {
        Set<String> rooms =
                HOUSE.stream()
                        .map(type -> type.getPackageName().split("\\.")[2])
                        .collect(Collectors.toSet());
        assertThat(rooms).containsExactlyInAnyOrderElementsOf(ROOMS);
        assertThat(HOUSE.size()).isGreaterThan(PLAUSIBLE_CLASSES);
    }

    @Test
    void aRoomUsesOnlyTheRoomsBelow() {
        for (int floor = 0; floor < ROOMS.size() - 1; floor++) {
            String[] above =
                    ROOMS.subList(floor + 1, ROOMS.size()).stream()
                            .map(room -> "org.espalier." + room + "..")
                            .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage("org.espalier." + ROOMS.get(floor) + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(above)
                    .check(HOUSE);
        }
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("org.espalier.(**)").should().beFreeOfCycles().check(HOUSE);
    }

    @Test
    void theMathematicsOfTheMethodsDoesNoInputOrOutput() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "org.espalier.prune.score..",
                        "org.espalier.prune.select..",
                        "org.espalier.prune.allocate..",
                        "org.espalier.prune.repair..",
                        "org.espalier.prune.solve..")
                .should()
                .dependOnClassesThat(readOrWriteFilesOrLog())
                .check(HOUSE);
    }

    @Test
    void onlyTheCommandLineSpeaksToTheUser() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.espalier.cli..")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(System.class, "exit", int.class)
                .check(HOUSE);
    }

    private static DescribedPredicate<JavaClass> readOrWriteFilesOrLog() {
        return describe(
                "read or write files, log, or parse",
                type -> {
                    String home = type.getPackageName();
                    boolean files = home.startsWith("java.nio.file") || home.equals("java.io");
                    boolean logging = home.startsWith("org.slf4j");
                    boolean parsing = home.startsWith("tools.jackson");
                    boolean marker = type.getName().equals("java.io.Serializable");
                    return (files && !marker) || logging || parsing;
                });
    }
}
