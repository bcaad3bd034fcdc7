"""A training that goes on where it was interrupted: what was trained so far lies in OUT.part."""
import os

import torch


def keep(out, networks, optimizer, step):
    parts = {"networks": [network.state_dict() for network in networks], "optimizer": optimizer.state_dict()}
    torch.save(parts | {"step": step}, f"{out}.new")
    os.replace(f"{out}.new", f"{out}.part")


def resumed(out, networks, optimizer):
    """How many steps were done; the networks and the optimizer are as they were after them."""
    if not os.path.exists(f"{out}.part"):
        return 0
    parts = torch.load(f"{out}.part")
    for network, trained in zip(networks, parts["networks"]):
        network.load_state_dict(trained)
    optimizer.load_state_dict(parts["optimizer"])
    print(f"going on after {parts['step']} steps", flush=True)
    return parts["step"]


def done(out, networks, outs):
    for network, path in zip(networks, outs):
        torch.save(network.state_dict(), path)
    if os.path.exists(f"{out}.part"):
        os.remove(f"{out}.part")
