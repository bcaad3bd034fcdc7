"""onnxruntime beside the engine: peer.py MODELS_DIR

Reads the name of a network from each line of its input, runs that network once on one thread, and
writes how many seconds of a processor that took. The numbers given are those of record.py.
"""

import pathlib
import sys
import time

import numpy as np

from record import RANGES, numbers, session


def prepared(models, role):
    network = session(str(models / f"{role}.onnx"))
    taken = network.get_inputs()[0]
    given = numbers(int(np.prod(taken.shape)), *RANGES[role]).reshape(taken.shape)
    return network, {taken.name: given}


def main(models):
    networks = {role: prepared(models, role) for role in RANGES}
    for line in sys.stdin:
        network, given = networks[line.strip()]
        start = time.thread_time()
        network.run(None, given)
        print(time.thread_time() - start, flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
