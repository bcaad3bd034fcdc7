"""Trains the line recogniser for a number of seconds: python train.py SECONDS OUT.pt

Data are made as needed from seeds (linegen.py), harder and harder over the first 12,000."""
import math
import sys
import time

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

import linegen
from network import CLASS, Network, decode

FIRST_SEED = 1_000_000
BATCH = 32


class Lines(IterableDataset):
    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        first = FIRST_SEED + (worker.id if worker else 0) * 10**7
        seed = first
        while True:
            seed += 1
            picture, text = linegen.sample(seed, min(1, 0.35 + (seed - first) / 12_000))
            yield tensor(picture), text


def tensor(picture):
    return torch.from_numpy(picture[None].astype(np.float32))


def collate(batch):
    return torch.stack([picture for picture, _ in batch]), [text for _, text in batch]


def loss_of(network, pictures, texts):
    scores = network(pictures).log_softmax(-1).permute(1, 0, 2)
    targets = torch.tensor([CLASS[symbol] for text in texts for symbol in text])
    places = torch.full((len(texts),), scores.shape[0])
    lengths = torch.tensor([len(text) for text in texts])
    return functional.ctc_loss(scores, targets, places, lengths, zero_infinity=True)


def exact(network, pictures, texts):
    network.eval()
    with torch.no_grad():
        found = decode(network(pictures))
    network.train()
    return np.mean([one == other for one, other in zip(found, texts)])


def main(seconds, out):
    torch.manual_seed(1)
    network = Network()
    loader = DataLoader(Lines(), batch_size=BATCH, num_workers=1, collate_fn=collate, prefetch_factor=16)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    held_out = collate([(tensor(p), t) for p, t in (linegen.sample(s, 0.6) for s in range(200))])
    start, total = time.time(), 0.0
    for step, (pictures, texts) in enumerate(loader, 1):
        share = (time.time() - start) / seconds
        if share > 1:
            break
        warm, cosine = min(1, step / 60 + 0.05), 0.5 * (1 + math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * warm * (cosine + 0.01)
        loss = loss_of(network, pictures, texts)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        total += loss.item()
        if step % 200 == 0:
            print(f"{step} steps, loss {total / 200:.4f}, exact {exact(network, *held_out):.3f}", flush=True)
            total = 0.0
            torch.save(network.state_dict(), out)
    torch.save(network.state_dict(), out)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
