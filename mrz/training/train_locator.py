"""Trains both locators for a number of steps: python train_locator.py STEPS WHOLE.pt ZONE.pt

Photographs are made as needed from seeds (camera.py), from easy to hard; every eighth has no MRZ.
What was interrupted goes on from WHOLE.pt.part as if it had not been."""
import math
import random
import sys

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

import camera
import document
import locator
import progress
import scene
from processor import quick

FIRST_SEED = 3_000_000
BATCH = 12
EVERY = 50  # steps: told and kept
HARDNESS = (camera.EASY, camera.MEDIUM, camera.HARD)


def without(seed):
    """A picture in which no MRZ is: print, cloth, a page whose MRZ is cut off."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    size = rng.choice(((640, 480), (480, 640), (512, 512)))
    image = scene.make(size[::-1], rng, noise, ("print", "print", "grain", "cloth", "blobs", "gradient"))
    if rng.random() < 0.5:
        page = document.make(rng.getrandbits(40), rng.uniform(2, 5), document.TRAINING)
        page = page.picture[: int((page.lines[0].middle - 3) * page.scale)]
        rows, columns = min(page.shape[0], image.shape[0]), min(page.shape[1], image.shape[1])
        image[:rows, :columns] = page[:rows, :columns]
    image = camera.lit(camera.focus(image, rng, 8, camera.MEDIUM), rng, noise, camera.MEDIUM)
    return camera.Photo(camera.bytes_of(image, rng, camera.MEDIUM), "", [])


def nearby(photo, rng):
    """(centre, direction, length) of a zone about as the first network finds it; now and then upside
    down, and anywhere where there is none."""
    if not photo.lines:
        rows, columns = photo.picture.shape[:2]
        turn = rng.uniform(0, 2 * math.pi)
        centre = rng.uniform(0.2, 0.8) * columns, rng.uniform(0.2, 0.8) * rows
        return centre, (math.cos(turn), math.sin(turn)), rng.uniform(0.3, 0.9) * columns
    ends = np.float64([[line[0], line[-1]] for line in photo.lines])
    along = (ends[:, 1] - ends[:, 0]).mean(0)
    length = float(np.linalg.norm(along))
    turn = math.atan2(along[1], along[0]) + math.radians(rng.gauss(0, 2.5)) + (math.pi if rng.random() < 0.2 else 0)
    cos, sin = math.cos(turn), math.sin(turn)
    right, down = rng.gauss(0, 0.05) * length, rng.gauss(0, 0.025) * length
    centre = ends.reshape(-1, 2).mean(0) + (right * cos - down * sin, right * sin + down * cos)
    return centre, (cos, sin), length * rng.uniform(0.8, 1.25)


def sample(seed, share):
    rng = random.Random(seed)
    if rng.random() < 0.12:
        photo = without(seed)
    else:
        weights = (2, 4, 4) if share > 0.3 else (6, 3, 1)
        photo = camera.photo(seed, rng.choices(HARDNESS, weights)[0], document.TRAINING, None, (0.3, 1.05))
    views = locator.whole(photo.picture), locator.zone(photo.picture, *nearby(photo, rng))
    sizes = locator.WHOLE, locator.ZONE
    pairs = [(view[None], locator.targets(photo, matrix, size)) for (view, matrix), size in zip(views, sizes)]
    return [array for pair in pairs for array in pair]


class Photos(IterableDataset):
    def __init__(self, first, count):
        self.first, self.count = first, count

    def __iter__(self):
        for index in range(self.first, self.count):
            yield sample(FIRST_SEED + index, index / self.count)


def main(steps, outs):
    torch.manual_seed(1)
    torch.set_num_threads(1)  # the other processor makes the pictures
    networks = [locator.Locator().to(memory_format=torch.channels_last) for _ in outs]
    weights = [weight for network in networks for weight in network.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=1e-4)
    totals = np.zeros(2)
    first = progress.resumed(outs[0], networks, optimizer)
    photos = Photos(first * BATCH, steps * BATCH)
    loader = DataLoader(photos, batch_size=BATCH, num_workers=1, prefetch_factor=8)
    for step, (whole, whole_maps, zone, zone_maps) in enumerate(loader, first + 1):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1, step / 50) * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
        pairs = zip(networks, ((whole, whole_maps), (zone, zone_maps)))
        losses = [locator.loss(quick(network, view), maps) for network, (view, maps) in pairs]
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(weights, 5.0)
        optimizer.step()
        totals += [loss.item() for loss in losses]
        if step % EVERY == 0:
            print(f"{step} steps, loss {totals[0] / EVERY:.4f} and {totals[1] / EVERY:.4f}", flush=True)
            totals[:] = 0
            progress.keep(outs[0], networks, optimizer, step)
    progress.done(outs[0], networks, outs)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:4])
