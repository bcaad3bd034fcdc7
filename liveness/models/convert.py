"""Converts one model file: convert.py tflite|dlib|flush SOURCE TARGET

tflite  TensorFlow Lite to ONNX
dlib    dlib's face recognition network to ONNX
flush   ONNX with every denormal weight set to 0: such a weight changes no result that matters
        and makes each multiplication with it many times slower
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper

import dlib_to_onnx
import onnx_graph
import tflite_to_onnx


def flush(source, target):
    model = onnx.load(source)
    smallest = np.finfo(np.float32).tiny
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32:
            continue
        array = np.where(np.abs(array) < smallest, np.float32(0), array)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx_graph.write(model, target)


def main(kind, source, target):
    if kind == "tflite":
        tflite_to_onnx.convert(source, target)
    elif kind == "dlib":
        dlib_to_onnx.convert(source, target)
    elif kind == "flush":
        flush(source, target)
    else:
        raise SystemExit(f"convert: unknown conversion {kind}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
