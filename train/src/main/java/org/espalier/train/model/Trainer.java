package org.espalier.train.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Torch;

/**
 * Trains a decoder by stochastic gradient descent, one step at a time. Its whole state is three vectors and the number
 * of the last step; given these, the same settings and the same corpus, every further step is the same to the bit, for
 * any number of threads.
 *
 * <p>Libtorch itself is limited to one thread while a trainer is open: the parallel work is that of the replicas.
 */
final class Trainer implements AutoCloseable {
    private final TrainingSettings settings;
    private final PackedTokens training;
    private final PackedTokens heldOut;
    private final FlatParameters parameters;
    private final Tensor weights;
    private final AdamW optimiser;
    private final List<Replica> replicas = new ArrayList<>();
    private final ExecutorService workers;
    private final int threadsBefore = Torch.threads();
    private int step;

    /** What a step did. */
    record StepResult(int step, double loss, double gradientNorm) {}

    /**
     * A trainer before its first step.
     *
     * @param settings the settings
     * @param training what the model learns from, in sequences of the model's context
     * @param heldOut what it is measured on
     */
    Trainer(TrainingSettings settings, PackedTokens training, PackedTokens heldOut) {
        this.settings = settings;
        this.training = training;
        this.heldOut = heldOut;
        Torch.threads(1);
        parameters = new FlatParameters(settings.model());
        weights = parameters.zeros();
        parameters.initialise(weights, settings.model().blocks(), settings.seed());
        optimiser =
                new AdamW(
                        weights,
                        parameters.matrices(),
                        parameters.zeros(),
                        parameters.zeros(),
                        settings.weightDecay());
        for (int i = 0; i < settings.sequencesPerStep() / settings.sequencesPerPass(); i++) {
            replicas.add(new Replica(settings.model(), parameters, weights));
        }
        // Platform threads, because grad mode and scopes belong to a thread.
        workers =
                Executors.newFixedThreadPool(
                        settings.threads(), Thread.ofPlatform().daemon().factory());
    }

    /** Number of the last step that was made, 0 before the first. */
    int step() {
        return step;
    }

    /** The model's tensors by name, views of the live weights; valid in the caller's scope. */
    Map<String, Tensor> tensors() {
        return parameters.views(weights);
    }

    /** The optimiser with its live vectors. */
    AdamW optimiser() {
        return optimiser;
    }

    /** Declares that the vectors hold the state after {@code step}; the next step is the one after it. */
    void resumeAfter(int step) {
        this.step = step;
    }

    /**
     * One optimiser step.
     *
     * @param learningRate rate of this step
     * @throws UserError when the loss or the gradient is no longer finite; the weights are then as before
     */
    StepResult advance(double learningRate) {
        int next = step + 1;
        long first = (long) step * settings.sequencesPerStep();
        int size = settings.sequencesPerPass();
        List<Callable<Double>> passes = new ArrayList<>();
        for (int i = 0; i < replicas.size(); i++) {
            Replica replica = replicas.get(i);
            long[][] sequences = new long[size][];
            for (int j = 0; j < size; j++) {
                sequences[j] = training.shuffled(first + (long) i * size + j);
            }
            passes.add(() -> replica.backward(sequences, 1.0 / replicas.size()));
        }
        double loss =
                inParallel(passes).stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElseThrow();
        Tensor gradient = replicas.getFirst().gradient();
        try (PointerScope scope = new PointerScope()) {
            for (Replica replica : replicas.subList(1, replicas.size())) {
                gradient.add_(replica.gradient());
            }
        }
        double norm = AdamW.clip(gradient, settings.gradientNorm());
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new UserError(
                    "training diverged at step "
                            + next
                            + ": loss "
                            + loss
                            + ", gradient norm "
                            + norm
                            + "; lower the learning rate (now "
                            + settings.peakLearningRate()
                            + " at its peak) or lengthen the warm-up (now "
                            + settings.warmUpSteps()
                            + " steps)");
        }
        optimiser.step(gradient, next, learningRate);
        step = next;
        return new StepResult(next, loss, norm);
    }

    /** Mean cross-entropy of the held-out sequences, in nats per token. */
    double heldOutLoss() {
        int count = Math.min(settings.heldOutSequences(), heldOut.count());
        List<Callable<Double>> sums = new ArrayList<>();
        for (int from = 0; from < count; from += settings.sequencesPerPass()) {
            int to = Math.min(count, from + settings.sequencesPerPass());
            long[][] sequences = new long[to - from][];
            for (int i = from; i < to; i++) {
                sequences[i - from] = heldOut.sequence(i);
            }
            // Evaluation only reads the leaves, so any replica serves any number of threads.
            sums.add(() -> replicas.getFirst().evaluate(sequences) * sequences.length);
        }
        return inParallel(sums).stream().mapToDouble(Double::doubleValue).sum() / count;
    }

    private List<Double> inParallel(List<Callable<Double>> tasks) {
        try {
            List<Double> results = new ArrayList<>();
            for (Future<Double> future : workers.invokeAll(tasks)) {
                results.add(future.get());
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("training was interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
        replicas.forEach(Replica::close);
        optimiser.firstMoment().close();
        optimiser.secondMoment().close();
        weights.close();
        Torch.threads(threadsBefore);
    }
}
