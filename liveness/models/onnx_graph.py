"""Builds a small ONNX graph, node by node.

Everything here is deterministic: names are counted up in the order of the calls and the file
carries no date, so one input always gives the same bytes (with the pinned onnx and protobuf).
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class Graph:
    """Nodes and constants in the order in which they were added."""

    def __init__(self):
        self.nodes = []
        self.constants = []

    def constant(self, array):
        """Adds a constant tensor and returns its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, values):
        """Adds a constant int64 vector (shapes, pads) and returns its name."""
        return self.constant(np.array(values, np.int64))

    def add(self, kind, inputs, output=None, **attributes):
        """Adds a node with one output and returns the output's name."""
        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def save(self, path, inputs, outputs):
        """Checks the graph and writes it. Inputs and outputs are (name, shape) pairs of floats."""
        graph = helper.make_graph(
            self.nodes, "graph", values(inputs), values(outputs), self.constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="indrul",
        )
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        write(model, path)


def values(pairs):
    return [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in pairs]


def write(model, path):
    """Serialises in protobuf's deterministic order."""
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
