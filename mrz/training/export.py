"""Writes a trained recogniser as ONNX: python export.py IN.pt OUT.onnx"""
import hashlib
import sys

import torch

from network import Network


def main(trained, out):
    network = Network()
    network.load_state_dict(torch.load(trained))
    network.eval()
    torch.onnx.export(network, torch.zeros(1, 1, 32, 640), out, input_names=["x"], output_names=["y"])
    print(hashlib.sha256(open(out, "rb").read()).hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
