"""Writes trained networks as ONNX, and their SHA-256: python export.py FOLDER OUT

FOLDER has line.pt, whole.pt and zone.pt; OUT gets mrz_ctc.onnx, mrz_whole.onnx and mrz_zone.onnx."""
import hashlib
import pathlib
import sys

import torch

import linegen
import locator
from network import Network


def write(network, trained, size, out):
    """`size`: columns and rows of what it takes."""
    network.load_state_dict(torch.load(trained))
    network.eval()
    names = {"input_names": ["picture"], "output_names": ["found"]}
    torch.onnx.export(network, torch.zeros(1, 1, size[1], size[0]), str(out), opset_version=13, **names)
    print(f"{out.name} {hashlib.sha256(out.read_bytes()).hexdigest()}")


def main(folder, out):
    folder, out = pathlib.Path(folder), pathlib.Path(out)
    write(Network(), folder / "line.pt", (linegen.WIDTH, linegen.HEIGHT), out / "mrz_ctc.onnx")
    write(locator.Locator(), folder / "whole.pt", locator.WHOLE, out / "mrz_whole.onnx")
    write(locator.Locator(), folder / "zone.pt", locator.ZONE, out / "mrz_zone.onnx")


if __name__ == "__main__":
    main(*sys.argv[1:])
