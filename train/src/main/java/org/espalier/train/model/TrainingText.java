package org.espalier.train.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import org.espalier.core.UserError;
import org.espalier.network.text.Chats;
import org.espalier.network.text.Documents;
import org.espalier.network.text.Ids;
import org.espalier.network.text.TextSource;
import org.espalier.train.stories.Story;
import org.espalier.train.stories.StoryTeller;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Where a model's text comes from. */
public sealed interface TrainingText {
    /** What stands between two texts in one passage, and in the text files that the measuring commands read. */
    String SEPARATOR = "\n\n";

    /**
     * The passages to learn from, told anew at each call. A model sees a passage between its begin and end tokens.
     */
    Iterable<String> training();

    /** Text that is in no training passage, to measure with. */
    String heldOut();

    /** Text that is in neither of the others and resembles them, for the statistics of pruning. */
    String calibration();

    /** What identifies the text, for the settings' fingerprint and the model's provenance. */
    ObjectNode describe();

    /**
     * Generated stories. Most passages hold several stories with an empty line between them, as text files do, so that
     * a trained model knows both what follows the begin token and what follows an empty line.
     *
     * @param seed seed of the teller
     * @param trainingStories number of stories to learn from, those from index 0
     * @param heldOutStories number of held-out stories, those from {@link #FIRST_HELD_OUT}
     * @param calibrationStories number of stories for calibration, those from {@link #FIRST_CALIBRATION}
     */
    record Stories(long seed, long trainingStories, int heldOutStories, int calibrationStories)
            implements TrainingText {
        public static final long FIRST_HELD_OUT = 1_000_000_000;
        public static final long FIRST_CALIBRATION = 2_000_000_000;

        /** Passages hold 1 to this many stories, equally often. */
        private static final int LONGEST_PASSAGE = 4;

        public Stories {
            if (trainingStories < 1 || heldOutStories < 1 || calibrationStories < 1) {
                throw new UserError(
                        "stories: training, held-out and calibration each need at least one story");
            }
            if (trainingStories > FIRST_HELD_OUT) {
                throw new UserError(
                        "stories: at most "
                                + FIRST_HELD_OUT
                                + " can be trained on, but "
                                + trainingStories
                                + " are asked for");
            }
        }

        @Override
        public Iterable<String> training() {
            return () -> {
                StoryTeller teller = new StoryTeller(seed);
                SplittableRandom lengths = new SplittableRandom(seed);
                return new Iterator<>() {
                    private long next;

                    @Override
                    public boolean hasNext() {
                        return next < trainingStories;
                    }

                    @Override
                    public String next() {
                        long count =
                                Math.min(
                                        1 + lengths.nextInt(LONGEST_PASSAGE),
                                        trainingStories - next);
                        String passage = passage(teller, next, count);
                        next += count;
                        return passage;
                    }
                };
            };
        }

        @Override
        public String heldOut() {
            return passage(new StoryTeller(seed), FIRST_HELD_OUT, heldOutStories);
        }

        @Override
        public String calibration() {
            return passage(new StoryTeller(seed), FIRST_CALIBRATION, calibrationStories);
        }

        private static String passage(StoryTeller teller, long first, long count) {
            List<String> texts =
                    teller.stories(first, count).parallel().map(Story::trainingText).toList();
            return String.join(SEPARATOR, texts);
        }

        @Override
        public ObjectNode describe() {
            return JsonMapper.shared()
                    .createObjectNode()
                    .put("source", "stories")
                    .put("seed", seed)
                    .put("firstTraining", 0)
                    .put("trainingStories", trainingStories)
                    .put("firstHeldOut", FIRST_HELD_OUT)
                    .put("heldOutStories", heldOutStories)
                    .put("firstCalibration", FIRST_CALIBRATION)
                    .put("calibrationStories", calibrationStories);
        }
    }

    /**
     * A file of the user's own: {@code .jsonl} with one text per line, each a passage, or plain text, which is cut at
     * empty lines into passages of some thousand characters. The last passages, a twentieth each, are held out and kept
     * for calibration.
     *
     * @param file the file
     * @param passages what it holds, in order
     */
    record OwnText(Path file, List<String> passages) implements TrainingText {
        private static final int PASSAGE_CHARACTERS = 4096;
        private static final int HELD_OUT_PART = 20;
        private static final int FEWEST_PASSAGES = 3;

        public OwnText {
            passages = List.copyOf(passages);
            if (passages.size() < FEWEST_PASSAGES) {
                throw new UserError(
                        file
                                + " has too little text to train on: it must hold at least "
                                + FEWEST_PASSAGES
                                + " lines of .jsonl, or paragraphs of "
                                + PASSAGE_CHARACTERS
                                + " characters together");
            }
        }

        /** Reads a {@code .txt} or {@code .jsonl} file. */
        public static OwnText read(Path file) {
            return switch (TextSource.readWhole(file)) {
                case Documents words ->
                        new OwnText(
                                file,
                                words.documents().size() == 1
                                        ? cut(words.documents().getFirst())
                                        : words.documents());
                case Chats chats ->
                        throw new UserError(
                                chats.file()
                                        + " holds chats; training needs lines with \"text\", because a"
                                        + " new model has no chat template");
                case Ids ids ->
                        throw new UserError(
                                ids.file()
                                        + " holds token ids; training needs text, because it makes"
                                        + " the tokenizer too");
            };
        }

        private static List<String> cut(String text) {
            List<String> passages = new ArrayList<>();
            StringBuilder passage = new StringBuilder();
            for (String paragraph : text.split("\n\\s*\n")) {
                passage.append(passage.isEmpty() ? "" : SEPARATOR).append(paragraph);
                if (passage.length() >= PASSAGE_CHARACTERS) {
                    passages.add(passage.toString());
                    passage.setLength(0);
                }
            }
            if (!passage.isEmpty()) {
                passages.add(passage.toString());
            }
            return passages;
        }

        private int part() {
            return Math.max(1, passages.size() / HELD_OUT_PART);
        }

        @Override
        public Iterable<String> training() {
            return passages.subList(0, passages.size() - 2 * part());
        }

        @Override
        public String heldOut() {
            return String.join(
                    SEPARATOR, passages.subList(passages.size() - part(), passages.size()));
        }

        @Override
        public String calibration() {
            return String.join(
                    SEPARATOR,
                    passages.subList(passages.size() - 2 * part(), passages.size() - part()));
        }

        @Override
        public ObjectNode describe() {
            return JsonMapper.shared()
                    .createObjectNode()
                    .put("source", "file")
                    .put("name", String.valueOf(file.getFileName()))
                    .put("sha256", Digest.sha256(passages));
        }
    }
}
