package org.espalier.prune.select;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.espalier.core.Rounding;
import org.espalier.core.pattern.Group;
import org.espalier.core.pattern.Pattern;

/** Selection as the papers write it: list the group, sort it stably, remove the front. */
final class StableSortOracle {
    private StableSortOracle() {}

    static boolean[] select(
            float[] score, int rows, int columns, Pattern pattern, double sparsity) {
        boolean[] keep = new boolean[score.length];
        Arrays.fill(keep, true);
        switch (pattern) {
            case Pattern.Unstructured(Group group) -> {
                for (List<Integer> members : groups(group, rows, columns)) {
                    remove(members, score, keep, sparsity);
                }
            }
            case Pattern.NofM(int _, int m) -> {
                for (int start = 0; start < score.length; start += m) {
                    remove(range(start, start + m), score, keep, sparsity);
                }
            }
            case Pattern.Tiles tiles -> selectTiles(score, rows, columns, tiles, sparsity, keep);
        }
        return keep;
    }

    private static void selectTiles(
            float[] score,
            int rows,
            int columns,
            Pattern.Tiles tiles,
            double sparsity,
            boolean[] keep) {
        int down = Math.ceilDiv(rows, tiles.rows());
        int across = Math.ceilDiv(columns, tiles.columns());
        double[] exact = new double[down * across];
        for (int i = 0; i < score.length; i++) {
            exact[tileOf(i, columns, across, tiles)] += score[i];
        }
        float[] sums = new float[exact.length];
        for (int tile = 0; tile < sums.length; tile++) {
            sums[tile] = (float) exact[tile];
        }
        boolean[] kept =
                select(sums, down, across, new Pattern.Unstructured(tiles.group()), sparsity);
        for (int i = 0; i < score.length; i++) {
            keep[i] = kept[tileOf(i, columns, across, tiles)];
        }
    }

    private static int tileOf(int i, int columns, int across, Pattern.Tiles tiles) {
        return i / columns / tiles.rows() * across + i % columns / tiles.columns();
    }

    private static List<List<Integer>> groups(Group group, int rows, int columns) {
        List<List<Integer>> groups = new ArrayList<>();
        switch (group) {
            case Group.Row _ -> {
                for (int row = 0; row < rows; row++) {
                    groups.add(range(row * columns, (row + 1) * columns));
                }
            }
            case Group.Layer _, Group.Global _ -> groups.add(range(0, rows * columns));
            case Group.ColumnBlock(int width) -> {
                for (int from = 0; from < columns; from += width) {
                    List<Integer> members = new ArrayList<>();
                    for (int row = 0; row < rows; row++) {
                        int to = Math.min(columns, from + width);
                        members.addAll(range(row * columns + from, row * columns + to));
                    }
                    groups.add(members);
                }
            }
        }
        return groups;
    }

    private static List<Integer> range(int from, int to) {
        List<Integer> members = new ArrayList<>();
        for (int i = from; i < to; i++) {
            members.add(i);
        }
        return members;
    }

    private static void remove(
            List<Integer> members, float[] score, boolean[] keep, double sparsity) {
        List<Integer> sorted = new ArrayList<>(members);
        sorted.sort(Comparator.comparingDouble(i -> score[i] + 0f));
        for (int i : sorted.subList(0, (int) Rounding.removed(members.size(), sparsity))) {
            keep[i] = false;
        }
    }
}
