package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.espalier.checkpoint.pickle.PickleBytes;
import org.espalier.checkpoint.pickle.TorchZip;
import org.espalier.core.UserError;
import org.espalier.core.tensor.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of {@code torch.save}: made here byte by byte, by libtorch, and by PyTorch itself. */
class PickleFileTest {
    @TempDir Path folder;

    /** Six numbers, seen in every way that a state dict sees them. */
    private static byte[] views() {
        PickleBytes pickle = new PickleBytes().raw("}(");
        view(pickle, "plain", 0, new long[] {2, 3}, new long[] {3, 1});
        view(pickle, "transposed", 0, new long[] {3, 2}, new long[] {1, 3});
        view(pickle, "tied", 0, new long[] {2, 3}, new long[] {3, 1});
        view(pickle, "row", 3, new long[] {3}, new long[] {1});
        view(pickle, "column", 1, new long[] {2}, new long[] {3});
        view(pickle, "scalar", 5, new long[] {}, new long[] {});
        view(pickle, "nothing", 0, new long[] {0, 3}, new long[] {3, 1});
        view(pickle, "wide", 2, new long[] {1, 4}, new long[] {99, 1});
        view(pickle, "spread", 4, new long[] {2, 2}, new long[] {0, 1});
        return TorchZip.of(pickle.raw("u").end()).entry("data/0", floats(1, 2, 3, 4, 5, 6)).bytes();
    }

    private static void view(PickleBytes pickle, String name, long offset, long[]... view) {
        pickle.tensor(name, "FloatStorage", "0", 6, offset, view);
    }

    private static byte[] floats(float... values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            data.putFloat(value);
        }
        return data.array();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "plain|2,3|1,2,3,4,5,6|false",
                "transposed|3,2|1,4,2,5,3,6|true",
                "tied|2,3|1,2,3,4,5,6|false",
                "row|3|4,5,6|false",
                "column|2|2,5|true",
                "scalar|''|6|false",
                "nothing|0,3|''|false",
                "wide|1,4|3,4,5,6|false",
                "spread|2,2|5,6,5,6|true"
            })
    void everyViewOfAStorageIsRead(String name, String shape, String values, boolean converted) {
        try (PickleFile file = open(views())) {
            TensorInfo info = Objects.requireNonNull(file.tensors().get(name));
            assertThat(info.dtype()).isEqualTo(DType.F32);
            assertThat(info.shape()).isEqualTo(numbers(shape));
            assertThat(info.bytes()).isEqualTo(4 * info.elements());
            assertThat(file.isConverted(name)).isEqualTo(converted);
            for (int i = 0; i < 2; i++) {
                assertThat(values(file, name)).isEqualTo(numbers(values));
                file.unload(name);
            }
        }
    }

    @Test
    void onlyTheSameViewOfAStorageIsATwin() {
        try (PickleFile file = open(views())) {
            assertThat(file.twins()).isEqualTo(Map.of("tied", "plain"));
        }
    }

    @Test
    void libtorchReadsTheSame() {
        try (PointerScope scope = new PointerScope();
                PickleFile file = open(views())) {
            IValue loaded = load(views());
            assertThat(file.tensors()).hasSize(9);
            for (String name : file.tensors().keySet()) {
                assertThat(file.tensor(name).equal(theirs(loaded, name))).as(name).isTrue();
            }
        }
    }

    @Test
    void aFileThatLibtorchWroteIsRead() {
        try (PointerScope scope = new PointerScope()) {
            IValue loaded = load(views());
            ByteVector saved = torch.pickle_save(loaded);
            byte[] bytes = new byte[(int) saved.size()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = saved.get(i);
            }
            assertThat(bytes).isNotEqualTo(views());
            try (PickleFile file = open(bytes)) {
                assertThat(file.tensors()).hasSize(9);
                for (String name : file.tensors().keySet()) {
                    assertThat(file.tensor(name).equal(theirs(loaded, name))).as(name).isTrue();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"types.bin", "types-legacy.bin", "types-protocol-4.bin"})
    void everyTypeThatPyTorchWroteIsRead(String name) {
        try (PointerScope scope = new PointerScope();
                PickleFile file = PickleFile.open(resource(name))) {
            assertThat(file.tensors().values().stream().map(TensorInfo::dtype))
                    .containsExactly(
                            DType.F64,
                            DType.F32,
                            DType.F16,
                            DType.BF16,
                            DType.I64,
                            DType.I32,
                            DType.I16,
                            DType.I8,
                            DType.U8,
                            DType.BOOL);
            for (TensorInfo tensor : file.tensors().values()) {
                boolean bool = tensor.dtype() == DType.BOOL;
                assertThat(tensor.shape()).isEqualTo(List.of(2L, 3L));
                assertThat(values(file, tensor.name()))
                        .as(tensor.name())
                        .isEqualTo(numbers(bool ? "1,1,1,0,1,1" : "3,2,1,0,1,2"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.bin", "model-legacy.bin"})
    void aStateDictThatPyTorchWroteIsRead(String name) {
        try (PickleFile file = PickleFile.open(resource(name))) {
            assertThat(file.tensors().keySet())
                    .containsExactly("embed.weight", "part.weight", "turned", "head.weight");
            assertThat(file.twins()).isEqualTo(Map.of("head.weight", "embed.weight"));
            assertThat(values(file, "part.weight")).isEqualTo(numbers("4,5,6,7"));
            assertThat(values(file, "turned")).isEqualTo(numbers("0,4,1,5,2,6,3,7"));
            assertThat(file.leftOut()).isEmpty();
        }
    }

    @Test
    void parametersAreTensors() {
        try (PointerScope scope = new PointerScope();
                PickleFile file = PickleFile.open(resource("parameters.bin"))) {
            assertThat(Tensors.toFloats(file.tensor("0.weight"))).containsExactly(0.5f, -1.5f);
        }
    }

    @Test
    void theModelInACheckpointOfATrainerIsReadAndTheRestNamed() {
        try (PointerScope scope = new PointerScope();
                PickleFile file = PickleFile.open(resource("trainer.bin"))) {
            assertThat(file.tensors().keySet()).containsExactly("0.weight", "0.bias");
            assertThat(Tensors.toFloats(file.tensor("0.weight"))).containsExactly(0.5f, -1.5f);
            assertThat(file.leftOut()).containsExactly("epoch", "optimizer", "lr");
        }
    }

    @Test
    void aWholeModuleIsRefusedByItsClass() {
        assertThatThrownBy(() -> PickleFile.open(resource("module.bin")))
                .isInstanceOf(UserError.class)
                .hasMessageContaining(
                        "module.bin wants to call torch.nn.modules.container.Sequential");
    }

    /** The types that came after the classes of storages name their type beside the tensor. */
    @Test
    void anUntypedStorageIsReadInTheTypeOfTheTensor() {
        byte[] pickle =
                new PickleBytes()
                        .raw("}(")
                        .text("w")
                        .global("torch._utils", "_rebuild_tensor_v3")
                        .raw("((")
                        .text("storage")
                        .global("torch.storage", "UntypedStorage")
                        .text("7")
                        .text("cpu")
                        .number(4)
                        .raw("tQ")
                        .number(1)
                        .tuple(3)
                        .tuple(1)
                        .bytes(0x89)
                        .orderedDict()
                        .global("torch", "float8_e4m3fn")
                        .raw("tRu")
                        .end();
        byte[] codes = {0, 0x38, 0x40, (byte) 0xb8};
        try (PickleFile file = open(TorchZip.of(pickle).entry("data/7", codes).bytes())) {
            assertThat(file.tensors().get("w"))
                    .isEqualTo(new TensorInfo("w", DType.F8_E4M3, List.of(3L), 0, 3));
            assertThat(values(file, "w")).isEqualTo(numbers("1,2,-1"));
        }
    }

    private PickleFile open(byte[] bytes) {
        return PickleFile.open(Bytes.write(folder, "pytorch_model.bin", bytes));
    }

    private static Path resource(String name) {
        URL url = Objects.requireNonNull(PickleFileTest.class.getResource("/torch/" + name));
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static List<Long> numbers(String list) {
        return list.isEmpty()
                ? List.of()
                : Arrays.stream(list.split(",")).map(Long::valueOf).toList();
    }

    private static List<Long> values(PickleFile file, String name) {
        try (PointerScope scope = new PointerScope()) {
            return Arrays.stream(Tensors.toDoubles(file.tensor(name)))
                    .mapToObj(value -> (long) value)
                    .toList();
        }
    }

    private static IValue load(byte[] bytes) {
        return torch.pickle_load(new ByteVector(bytes));
    }

    private static Tensor theirs(IValue loaded, String name) {
        return loaded.toGenericDict().at(new IValue(name)).toTensor();
    }
}
