"""What the processor can do: where it has bfloat16, a step of training takes half the time."""
from pathlib import Path

import torch

BFLOAT16 = "amx_bf16" in Path("/proc/cpuinfo").read_text()


def quick(network, pictures):
    """What the network makes of the pictures, in single precision."""
    with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
        found = network(pictures.contiguous(memory_format=torch.channels_last))
    return found.float()
