"""Converts dlib's face recognition network (dlib_face_recognition_resnet_model_v1.dat) to ONNX.

The file is a serialised dlib::net whose layers stand from the input's side on: for each convolution its
parameters (weights, then biases), for each normalisation, frozen to an affine map, gains and offsets,
at the end the weights of the last product. Affine maps and the input's normalisation are folded into
what stands before or at the start. The network is that of dlib's dnn_face_recognition_ex.cpp:
29 convolutions in residual blocks, 150x150 RGB to 128 numbers.
"""

import re

import numpy as np

import onnx_graph

SIDE = 150
LENGTH = 128
MEANS = [122.782, 117.001, 104.298]
RANGE = 256
# Channels of each group and its blocks: whether each halves the picture.
GROUPS = [
    (32, [False, False, False]),
    (64, [True, False, False, False]),
    (128, [True, False, False]),
    (256, [True, False, False]),
    (256, [True]),
]
# A string's length of length one, the length, and the name that a layer's state begins with.
LAYER = re.compile(rb"\x01\x05(con)_[45]|\x01\x07(aff)ine_|\x01\x04(fc)_2")


class Malformed(ValueError):
    """Not the file this converter is made for."""


def integer(data, at):
    """dlib's portable integer: a byte with the sign and the count of the bytes that follow."""
    count, negative = data[at] & 0x7F, data[at] & 0x80
    value = int.from_bytes(data[at + 1 : at + 1 + count], "little")
    return (-value if negative else value), at + 1 + count


def tensor(data, at):
    """A tensor of format version 2: four sizes, then the numbers."""
    version, at = integer(data, at)
    if version != 2:
        raise Malformed(f"a tensor of version {version}")
    sizes = []
    for _ in range(4):
        size, at = integer(data, at)
        sizes.append(size)
    count = int(np.prod(sizes))
    return np.frombuffer(data, "<f4", count, at).astype(np.float64), at + 4 * count


def layers(data):
    """Kind and parameters of every layer that has some, the input's side first."""
    end = 0
    for found in LAYER.finditer(data):
        if found.start() < end:
            continue  # bytes of a tensor that look like a name
        kind, at = found.group(found.lastindex).decode(), found.end()
        for _ in range(2 if kind == "fc" else 0):  # its numbers of outputs and inputs
            _, at = integer(data, at)
        values, end = tensor(data, at)
        yield kind, values


class Network:
    """The graph in the making, taking the layers one after another."""

    def __init__(self, data):
        self.layers = layers(data)
        self.graph = onnx_graph.Graph()

    def take(self, kind, count):
        found, values = next(self.layers, ("nothing", np.zeros(0)))
        if found != kind or values.size != count:
            raise Malformed(f"{found} of {values.size} numbers where {kind} of {count} belongs")
        return values

    def product(self, *shape):
        """The weights of the last product, inputs first."""
        return self.take("fc", shape[0] * shape[1]).reshape(shape).astype(np.float32)

    def convolution(self, source, inputs, outputs, side, step):
        """With the affine map behind it. One that halves takes no border."""
        values = self.take("con", outputs * inputs * side * side + outputs)
        weights = values[:-outputs].reshape(outputs, inputs, side, side)
        gains, offsets = self.take("aff", 2 * outputs).reshape(2, outputs)
        weights = (weights * gains[:, None, None, None]).astype(np.float32)
        biases = (values[-outputs:] * gains + offsets).astype(np.float32)
        border = 0 if step > 1 else side // 2
        inputs = [source, self.graph.constant(weights), self.graph.constant(biases)]
        shape = {"kernel_shape": [side, side], "strides": [step, step], "pads": [border] * 4}
        return self.graph.add("Conv", inputs, **shape)

    def padded(self, source, channels, rows):
        """With so many channels, rows and columns of zeros more behind its own."""
        if channels == rows == 0:
            return source
        pads = self.graph.integers([0, 0, 0, 0, 0, channels, rows, rows])
        return self.graph.add("Pad", [source, pads])

    def block(self, source, inputs, outputs, side, halves):
        """A residual block: its output, and the output's side."""
        add = self.graph.add
        step = 2 if halves else 1
        body = add("Relu", [self.convolution(source, inputs, outputs, 3, step)])
        body = self.convolution(body, outputs, outputs, 3, 1)
        if not halves:
            return add("Relu", [add("Add", [body, source])]), side
        beside = add("AveragePool", [source], kernel_shape=[2, 2], strides=[2, 2])
        body_side, beside_side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        most = max(body_side, beside_side)
        body = self.padded(body, 0, most - body_side)
        beside = self.padded(beside, outputs - inputs, most - beside_side)
        return add("Relu", [add("Add", [body, beside])]), most


def convert(source, target):
    with open(source, "rb") as file:
        network = Network(file.read())
    graph = network.graph
    means = graph.constant(np.array(MEANS, np.float32).reshape(1, 3, 1, 1))
    x = graph.add("Sub", ["input", means])
    x = graph.add("Mul", [x, graph.constant(np.float32(1 / RANGE))])
    x = graph.add("Relu", [network.convolution(x, 3, 32, 7, 2)])
    x = graph.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    side, channels = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1, 32
    for outputs, blocks in GROUPS:
        for halves in blocks:
            x, side = network.block(x, channels, outputs, side, halves)
            channels = outputs
    x = graph.add("GlobalAveragePool", [x])
    x = graph.add("Reshape", [x, graph.integers([1, channels])])
    last = graph.constant(network.product(channels, LENGTH))
    graph.add("MatMul", [x, last], output="embedding")
    if next(network.layers, None):
        raise Malformed("more layers than the network has")
    graph.save(target, [("input", [1, 3, SIDE, SIDE])], [("embedding", [1, LENGTH])])
