"""Trains the line recogniser for a number of steps: python train.py STEPS OUT.pt

Lines are made as needed from seeds: half of them alone (linegen.py), half cut out of photographed
pages (photolines.py), harder and harder over the first half. What was interrupted goes on from
OUT.pt.part as if it had not been."""
import math
import random
import sys

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

import linegen
import photolines
import progress
from network import CLASS, Network, decode
from processor import quick

FIRST_SEED, FIRST_PAGE = 1_000_000, 10_000_000
HELD_OUT, HELD_OUT_PAGE = 0, 500_000
BATCH = 32
MIXED = 8  # batches whose lines are shuffled, so that those of one page lie apart
MOST_PAGES = 1000  # for the lines of so many batches
EVERY = 200  # steps: told and kept


def tensor(picture):
    return torch.from_numpy(picture[None].astype(np.float32))


def mixed(index, share):
    """The lines of MIXED batches; `share` of the training is done."""
    half = MIXED * BATCH // 2
    cut, page = [], FIRST_PAGE + index * MOST_PAGES
    while len(cut) < half:
        cut += photolines.samples(page, (6, 3, 1) if share < 0.15 else (2, 4, 4))
        page += 1
    seeds = range(FIRST_SEED + index * half, FIRST_SEED + (index + 1) * half)
    lines = cut[:half] + [linegen.sample(seed, min(1, 0.35 + 1.3 * share)) for seed in seeds]
    random.Random(index).shuffle(lines)
    return lines


class Lines(IterableDataset):
    """The lines of the steps from `first` on, a multiple of MIXED."""

    def __init__(self, first, steps):
        self.first, self.steps = first, steps

    def __iter__(self):
        for step in range(self.first, self.steps, MIXED):
            for picture, text in mixed(step // MIXED, step / self.steps):
                yield tensor(picture), text


def collate(batch):
    return torch.stack([picture for picture, _ in batch]), [text for _, text in batch]


def loss_of(network, pictures, texts):
    scores = quick(network, pictures).log_softmax(-1).permute(1, 0, 2)
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


def held_out():
    """Lines alone, and lines of photographs of medium hardness."""
    alone = [linegen.sample(seed, 0.6) for seed in range(HELD_OUT, HELD_OUT + 200)]
    pages = range(HELD_OUT_PAGE, HELD_OUT_PAGE + 50)
    cut = [line for page in pages for line in photolines.samples(page, (0, 1, 0))]
    return [collate([(tensor(picture), text) for picture, text in made]) for made in (alone, cut)]


def main(steps, out):
    torch.manual_seed(1)
    torch.set_num_threads(1)  # the other processor makes the lines
    network = Network().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    tests, total = held_out(), 0.0
    first = progress.resumed(out, [network], optimizer)
    loader = DataLoader(Lines(first, steps), BATCH, num_workers=1, collate_fn=collate, prefetch_factor=16)
    for step, (pictures, texts) in zip(range(first + 1, steps + 1), loader):
        warm, cosine = min(1, step / 60 + 0.05), 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * warm * (cosine + 0.01)
        loss = loss_of(network, pictures, texts)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        total += loss.item()
        if step % EVERY == 0:
            alone, cut = (exact(network, *test) for test in tests)
            print(f"{step} steps, loss {total / EVERY:.4f}, exact {alone:.3f} and {cut:.3f}", flush=True)
            total = 0.0
            progress.keep(out, [network], optimizer, step)
    progress.done(out, [network], [out])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
