package org.espalier.core.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Makes, views and scopes tensors. All tensors here live on the CPU. */
public final class Tensors {
    private Tensors() {}

    /** Options for a CPU tensor of the given type. */
    public static TensorOptions options(ScalarType type) {
        return new TensorOptions(type)
                .device(new org.bytedeco.pytorch.DeviceOptional(new Device(DeviceType.CPU)));
    }

    /** A new float32 tensor with a copy of {@code values} in row-major order. */
    public static Tensor floats(float[] values, long... shape) {
        Tensor tensor = torch.empty(shape, options(ScalarType.Float), null);
        MemorySegment.copy(
                MemorySegment.ofArray(values), 0, segment(tensor), 0, values.length * 4L);
        return tensor;
    }

    /** A new float64 tensor with a copy of {@code values} in row-major order. */
    public static Tensor doubles(double[] values, long... shape) {
        Tensor tensor = torch.empty(shape, options(ScalarType.Double), null);
        MemorySegment.copy(
                MemorySegment.ofArray(values), 0, segment(tensor), 0, values.length * 8L);
        return tensor;
    }

    /** A new int64 tensor with a copy of {@code values} in row-major order. */
    public static Tensor longs(long[] values, long... shape) {
        Tensor tensor = torch.empty(shape, options(ScalarType.Long), null);
        MemorySegment.copy(
                MemorySegment.ofArray(values), 0, segment(tensor), 0, values.length * 8L);
        return tensor;
    }

    /** The values of a tensor of any floating type and layout as float32 in row-major order. */
    public static float[] toFloats(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor plain = tensor.detach().to(ScalarType.Float).contiguous();
            return segment(plain).toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** The values of a tensor of any numeric type and layout as float64 in row-major order. */
    public static double[] toDoubles(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            Tensor plain = tensor.detach().to(ScalarType.Double).contiguous();
            return segment(plain).toArray(ValueLayout.JAVA_DOUBLE);
        }
    }

    /** The values of an int64 tensor of any layout in row-major order. */
    public static long[] toLongs(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            return segment(tensor.contiguous()).toArray(ValueLayout.JAVA_LONG);
        }
    }

    /** The number of true entries of a bool tensor. */
    public static long countTrue(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            // A sum would convert the whole tensor to int64 first, eight times its size.
            return torch.count_nonzero(tensor).item_long();
        }
    }

    /** Whether no entry of a floating tensor is NaN or infinite. */
    public static boolean isFinite(Tensor tensor) {
        try (PointerScope scope = new PointerScope()) {
            // A sum is quick, and finite where all its terms are, but for an overflow, which is
            // looked into.
            return Double.isFinite(tensor.sum().item_double())
                    || torch.isfinite(tensor).all().item_bool();
        }
    }

    /** The element type. The binding makes a new enum constant for every call, so only this one may be compared. */
    public static ScalarType type(Tensor tensor) {
        return tensor.scalar_type().intern();
    }

    /** The shape as an array. */
    public static long[] shape(Tensor tensor) {
        long[] shape = new long[(int) tensor.dim()];
        for (int axis = 0; axis < shape.length; axis++) {
            shape[axis] = tensor.size(axis);
        }
        return shape;
    }

    /** The shape as people read it, for messages: {@code [4, 172]}. */
    public static String describe(Tensor tensor) {
        return Arrays.toString(shape(tensor));
    }

    /**
     * The memory of a contiguous tensor, shared, not copied. The segment is valid only while the tensor is: keep the
     * tensor in an open scope for as long as the segment is used.
     */
    public static MemorySegment segment(Tensor tensor) {
        if (!tensor.is_contiguous()) {
            throw new IllegalArgumentException(
                    "a shared view needs a contiguous tensor, shape " + describe(tensor));
        }
        long bytes = tensor.numel() * tensor.element_size();
        if (bytes == 0) {
            // libtorch has no address for nothing.
            return MemorySegment.NULL;
        }
        return MemorySegment.ofAddress(tensor.data_ptr().address()).reinterpret(bytes);
    }

    /**
     * A tensor over native memory that somebody else owns, without a copy. The memory must outlive the tensor and, when
     * it is a read-only mapping, must never be written through it.
     */
    public static Tensor over(MemorySegment segment, ScalarType type, long... shape) {
        return torch.from_blob(new Address(segment.address()), shape, options(type));
    }

    /**
     * Runs {@code body} in a scope of its own, so that every intermediate tensor is freed at once, and hands the result
     * to the scope that encloses the call (or, where there is none, to the caller).
     */
    public static Tensor scoped(Supplier<Tensor> body) {
        Tensor result;
        try (PointerScope scope = new PointerScope()) {
            result = own(body.get());
        }
        PointerScope outer = PointerScope.getInnerScope();
        if (outer != null) {
            outer.attach(result);
            result.releaseReference();
        }
        return result;
    }

    /**
     * Lets a tensor outlive every scope it is in. The caller owns it from here on and frees it with
     * {@link Tensor#close}; scopes count references, so closing a scope alone no longer frees it.
     */
    public static Tensor own(Tensor tensor) {
        return tensor.retainReference();
    }

    /** Switches gradients off in this thread until the result is closed. Hold it on a platform thread only. */
    public static AutoGradMode noGrad() {
        return new AutoGradMode(false);
    }

    /** A bare address that libtorch accepts as data. */
    private static final class Address extends Pointer {
        Address(long address) {
            super((Pointer) null);
            this.address = address;
        }
    }
}
