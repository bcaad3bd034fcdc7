"""Turns a float TensorFlow Lite file into ONNX.

TFLite is NHWC, ONNX NCHW. The graph input and everything of four dimensions between are kept
as NCHW; a tensor is put back into NHWC order only where it is reshaped, and at the outputs, so
that each output has the values in TFLite's order. Only the operators of the models in pins.toml
are known; any other ends the conversion.
"""

import numpy as np
import tflite

from onnx_graph import Graph

NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}
TO_NHWC = [0, 2, 3, 1]
TO_NCHW = [0, 3, 1, 2]


class Unsupported(Exception):
    """An operator or option that no pinned model uses."""


class Source:
    """The parts of a TFLite flatbuffer that the conversion reads."""

    def __init__(self, data):
        self.model = tflite.Model.GetRootAsModel(data, 0)
        self.graph = self.model.Subgraphs(0)
        self.shapes = [self._shape(i) for i in range(self.graph.TensorsLength())]
        self.inputs = [int(i) for i in self.graph.InputsAsNumpy()]
        self.outputs = [int(i) for i in self.graph.OutputsAsNumpy()]
        self._one_picture_at_a_time()

    def _shape(self, index):
        tensor = self.graph.Tensors(index)
        return [int(n) for n in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else []

    def _one_picture_at_a_time(self):
        """A model exported for a batch of n is rewritten for one."""
        batch = self.shapes[self.inputs[0]][0]
        for index, shape in enumerate(self.shapes):
            if shape and shape[0] == batch and self.constant(index) is None:
                shape[0] = 1

    def constant(self, index):
        """The value of a constant tensor, or None where the tensor is computed."""
        tensor = self.graph.Tensors(index)
        buffer = self.model.Buffers(tensor.Buffer())
        if buffer.DataLength() == 0:
            return None
        array = np.frombuffer(buffer.DataAsNumpy().tobytes(), DTYPES[tensor.Type()])
        return array.reshape(self.shapes[index])

    def name(self, index):
        return self.graph.Tensors(index).Name().decode()

    def operators(self):
        """Every operator as (name, table, inputs, output)."""
        for k in range(self.graph.OperatorsLength()):
            op = self.graph.Operators(k)
            code = self.model.OperatorCodes(op.OpcodeIndex())
            name = NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            yield name, op, [int(i) for i in op.InputsAsNumpy()], int(op.Outputs(0))


def options(op, kind):
    table, union = kind(), op.BuiltinOptions()
    table.Init(union.Bytes, union.Pos)
    return table


def pads(padding, size, kernel, stride):
    """ONNX pads [top, left, bottom, right] of TFLite's SAME or VALID."""
    if padding == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    total = [
        max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, stride, strict=True)
    ]
    before = [n // 2 for n in total]
    return before + [t - b for t, b in zip(total, before, strict=True)]


class Conversion:
    """One run over the operators of one file."""

    def __init__(self, source):
        self.source = source
        self.graph = Graph()
        self.names = {}
        self.unpacked = {}

    def run(self, path):
        source = self.source
        n, h, w, c = source.shapes[source.inputs[0]]
        self.names[source.inputs[0]] = "input"
        for kind, op, inputs, output in source.operators():
            self.operator(kind, op, inputs, output)
        outputs = []
        for index in source.outputs:
            name = source.name(index)
            self.graph.add("Identity", [self.in_nhwc(index)], output=name)
            outputs.append((name, source.shapes[index]))
        self.graph.save(path, [("input", [n, c, h, w])], outputs)

    def operator(self, kind, op, inputs, output):
        if kind == "DEQUANTIZE":  # half-precision weights
            self.unpacked[output] = self.constant(inputs[0])
            return
        step = getattr(self, kind.lower(), None)
        if step is None:
            raise Unsupported(kind)
        self.names[output] = step(op, inputs, output)

    # Tensors

    def constant(self, index):
        array = self.unpacked.get(index)
        array = self.source.constant(index) if array is None else array
        return array.astype(np.float32) if array.dtype == np.float16 else array

    def is_picture(self, index):
        return len(self.source.shapes[index]) == 4

    def ref(self, index):
        """The ONNX name of a tensor; a constant is laid out to match NCHW operands."""
        if index not in self.names:
            array = self.constant(index)
            if array.ndim == 4:
                array = array.transpose(TO_NCHW)
            elif array.ndim == 3:
                array = array.transpose(2, 0, 1)
            elif array.ndim == 1 and array.size > 1:
                array = array.reshape(-1, 1, 1)
            self.names[index] = self.graph.constant(array)
        return self.names[index]

    def in_nhwc(self, index):
        name = self.ref(index)
        if not self.is_picture(index):
            return name
        return self.graph.add("Transpose", [name], perm=TO_NHWC)

    def activated(self, name, activation):
        if activation == tflite.ActivationFunctionType.NONE:
            return name
        if activation == tflite.ActivationFunctionType.RELU:
            return self.graph.add("Relu", [name])
        raise Unsupported(f"activation {activation}")

    # Operators, named as TFLite names them

    def conv_2d(self, op, inputs, output):
        weights = self.constant(inputs[1]).transpose(0, 3, 1, 2)
        return self.convolution(options(op, tflite.Conv2DOptions), inputs, weights, 1)

    def depthwise_conv_2d(self, op, inputs, output):
        weights = self.constant(inputs[1]).transpose(3, 0, 1, 2)
        groups = self.source.shapes[inputs[0]][3]
        return self.convolution(options(op, tflite.DepthwiseConv2DOptions), inputs, weights, groups)

    def convolution(self, opts, inputs, weights, groups):
        kernel, stride = list(weights.shape[2:]), [opts.StrideH(), opts.StrideW()]
        if (opts.DilationHFactor(), opts.DilationWFactor()) != (1, 1):
            raise Unsupported("dilated convolution")
        operands = [self.ref(inputs[0]), self.graph.constant(weights)]
        if len(inputs) > 2 and inputs[2] >= 0:
            operands.append(self.graph.constant(self.constant(inputs[2])))
        size = self.source.shapes[inputs[0]][1:3]
        name = self.graph.add(
            "Conv",
            operands,
            kernel_shape=kernel,
            strides=stride,
            group=groups,
            pads=pads(opts.Padding(), size, kernel, stride),
        )
        return self.activated(name, opts.FusedActivationFunction())

    def max_pool_2d(self, op, inputs, output):
        opts = options(op, tflite.Pool2DOptions)
        kernel = [opts.FilterHeight(), opts.FilterWidth()]
        stride = [opts.StrideH(), opts.StrideW()]
        size = self.source.shapes[inputs[0]][1:3]
        name = self.graph.add(
            "MaxPool",
            [self.ref(inputs[0])],
            kernel_shape=kernel,
            strides=stride,
            pads=pads(opts.Padding(), size, kernel, stride),
        )
        return self.activated(name, opts.FusedActivationFunction())

    def add(self, op, inputs, output):
        return self.elementwise("Add", options(op, tflite.AddOptions), inputs)

    def sub(self, op, inputs, output):
        return self.elementwise("Sub", options(op, tflite.SubOptions), inputs)

    def mul(self, op, inputs, output):
        return self.elementwise("Mul", options(op, tflite.MulOptions), inputs)

    def elementwise(self, kind, opts, inputs):
        name = self.graph.add(kind, [self.ref(i) for i in inputs])
        return self.activated(name, opts.FusedActivationFunction())

    def relu(self, op, inputs, output):
        return self.graph.add("Relu", [self.ref(inputs[0])])

    def abs(self, op, inputs, output):
        return self.graph.add("Abs", [self.ref(inputs[0])])

    def prelu(self, op, inputs, output):
        return self.graph.add("PRelu", [self.ref(i) for i in inputs])

    def pad(self, op, inputs, output):
        amounts = self.constant(inputs[1])
        order = [amounts[axis] for axis in TO_NCHW]
        both = [before for before, _ in order] + [after for _, after in order]
        return self.graph.add("Pad", [self.ref(inputs[0]), self.graph.integers(both)])

    def reshape(self, op, inputs, output):
        shape = self.graph.integers(self.source.shapes[output])
        name = self.graph.add("Reshape", [self.in_nhwc(inputs[0]), shape])
        if not self.is_picture(output):
            return name
        return self.graph.add("Transpose", [name], perm=TO_NCHW)

    def concatenation(self, op, inputs, output):
        axis = options(op, tflite.ConcatenationOptions).Axis() % len(self.source.shapes[output])
        axis = TO_NCHW.index(axis) if self.is_picture(output) else axis
        return self.graph.add("Concat", [self.ref(i) for i in inputs], axis=axis)


def convert(source, target):
    """Reads the TFLite file `source` and writes the ONNX file `target`."""
    with open(source, "rb") as file:
        Conversion(Source(file.read())).run(target)
