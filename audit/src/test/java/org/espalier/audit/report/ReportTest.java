package org.espalier.audit.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.espalier.audit.receipt.Receipt;
import org.espalier.audit.receipt.Receipts;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

class ReportTest {
    @Test
    void thePageLoadsNothing() {
        String page = Report.html(Receipts.of("stories", 5));
        assertThat(page.replace("http://www.w3.org/2000/svg", ""))
                .doesNotContain(
                        "http:", "https:", "//", "src=", "@import", "url(", "<script", "<link");
    }

    @Test
    void namesFromOutsideCannotBecomeMarkup() {
        String page = Report.html(Receipts.of("<img src=x onerror=alert(1)>\"'&", 2));
        assertThat(page)
                .doesNotContain("<img")
                .contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
    }

    @Test
    void everyDrawingIsWellFormedAndHasATextAlternative() throws Exception {
        for (int blocks : new int[] {1, 2, 5, 17, 41, 126}) {
            String page = Report.html(Receipts.of("stories", blocks));
            Matcher drawings = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(page);
            int labelled = 0;
            while (drawings.find()) {
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new InputSource(new StringReader(drawings.group())));
                labelled += drawings.group().contains("role=\"img\" aria-label=\"") ? 1 : 0;
            }
            assertThat(labelled).as("%d blocks", blocks).isGreaterThanOrEqualTo(3);
            assertThat(page).doesNotContain("NaN", "Infinity", "null");
        }
    }

    @Test
    void theFiguresOfTheReceiptAreThere() {
        String page = Report.html(Receipts.of("stories", 5));
        assertThat(page)
                .contains(
                        "4.17 → 19.27",
                        "50.0 %",
                        "113 600 of 227 200",
                        "1.04 MB",
                        "700 MiB",
                        "9.3 s")
                .contains("model.layers.4.down_proj", "601.5 kB", "windows of 512 tokens");
    }

    @Test
    void theRecipeOnThePageCanBeReadBack() {
        Receipt receipt = Receipts.of("stories", 2);
        Matcher recipe =
                Pattern.compile("<pre>(.*?)</pre>", Pattern.DOTALL).matcher(Report.html(receipt));
        assertThat(recipe.find()).isTrue();
        String yaml = recipe.group(1).replace("&quot;", "\"").replace("&amp;", "&");
        assertThat(new YAMLMapper().readValue(yaml, Object.class)).isEqualTo(receipt.recipe());
    }

    @Test
    void theSameReceiptGivesTheSamePage() throws IOException {
        Receipt receipt = Receipts.of("stories", 5);
        assertThat(Report.html(receipt)).isEqualTo(Report.html(Receipts.of("stories", 5)));
        Path copy = Path.of("target", "report-sample.html");
        Files.writeString(copy, Report.html(receipt));
        assertThat(copy).isNotEmptyFile();
    }

    @Test
    void ticksAreRound() {
        assertThat(Ticks.step(0.93, 4)).isEqualTo(0.25);
        assertThat(Ticks.step(0, 4)).isEqualTo(1);
        assertThat(Ticks.step(7.9, 4)).isEqualTo(2);
        assertThat(Ticks.label(0.5, 0.25)).isEqualTo("0.50");
        assertThat(Ticks.label(40, 20)).isEqualTo("40");
    }
}
