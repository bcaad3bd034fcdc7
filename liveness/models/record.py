"""What onnxruntime makes of the models, on record: record.py MODELS_DIR > tests/vectors/networks.json

Every network is given numbers that anybody can make again (`numbers`), in the range that it takes. Of
each output the record has its length and up to 64 of its numbers, evenly spread. Needs numpy and
onnxruntime, which scripts/face-speed installs.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime

# The least and the greatest number that each network takes.
RANGES = {
    "detection": (-1, 1),
    "landmarks": (0, 1),
    "recognition-a": (-1, 1),
    "recognition-b": (-1, 1),
    "recognition-c": (0, 255),
    "attack": (0, 255),
    "eyes": (0, 1),
    "attack-near": (0, 255),
    "attack-wide": (0, 255),
}
SHOWN = 64


def numbers(count, low, high):
    """Smooth waves with steps between, all exact in single precision."""
    at = np.arange(count, dtype=np.int64)
    part = (at * 7 % 256 + at * at // 64 % 256) / 512
    return (low + (high - low) * part).astype(np.float32)


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ask(session, role):
    taken = session.get_inputs()[0]
    given = numbers(int(np.prod(taken.shape)), *RANGES[role]).reshape(taken.shape)
    return session.run(None, {taken.name: given})


def shown(output):
    flat = output.ravel()
    every = -(-flat.size // SHOWN)
    return {"length": flat.size, "every": every, "values": [float(v) for v in flat[::every]]}


def main(models):
    found = {}
    for role in RANGES:
        outputs = ask(session(str(models / f"{role}.onnx")), role)
        found[role] = [shown(output) for output in outputs]
    lines = [f"  {json.dumps(role)}: {json.dumps(outputs)}" for role, outputs in found.items()]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
