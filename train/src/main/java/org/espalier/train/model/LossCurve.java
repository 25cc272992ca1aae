package org.espalier.train.model;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The course of a training: one line of JSON per step, appended as it happens. */
final class LossCurve implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final List<Point> points;
    private final BufferedWriter writer;

    /**
     * One step.
     *
     * @param step its number, from 1
     * @param tokens tokens learnt from so far
     * @param loss mean cross-entropy of the step's sequences before the step, nats per token
     * @param heldOut the same of the held-out sequences after the step; null where it was not measured
     * @param learningRate rate of the step
     * @param seconds time spent training so far, interrupted runs included
     */
    record Point(
            int step,
            long tokens,
            double loss,
            @Nullable Double heldOut,
            double learningRate,
            double seconds) {}

    private LossCurve(List<Point> points, BufferedWriter writer) {
        this.points = points;
        this.writer = writer;
    }

    /**
     * Opens the curve in a file, and drops what was written after a step: an interrupted run may have come further than
     * its last checkpoint.
     */
    static LossCurve open(Path file, int lastStep) {
        try {
            List<Point> points = new ArrayList<>();
            if (lastStep > 0) {
                for (String line : Files.readAllLines(file).subList(0, lastStep)) {
                    points.add(JSON.readValue(line, Point.class));
                }
            }
            List<String> lines = points.stream().map(JSON::writeValueAsString).toList();
            Files.write(file, lines);
            return new LossCurve(points, Files.newBufferedWriter(file, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void add(Point point) {
        points.add(point);
        try {
            writer.write(JSON.writeValueAsString(point));
            writer.newLine();
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All steps so far. */
    List<Point> points() {
        return points;
    }

    /** Seconds of training so far. */
    double seconds() {
        return points.isEmpty() ? 0 : points.getLast().seconds();
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
