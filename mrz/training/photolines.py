"""Pictures of MRZ lines cut out of photographed pages (camera.py), as the reader cuts them (line.rs):
along the line's middle, with the errors that a locator makes. A seed gives the crops of one page."""
import random
from dataclasses import replace

import cv2
import numpy as np

import camera
import document
from covering import covered
from linegen import COVERED, HALF_HEIGHTS, HEIGHT, WIDTH, slack_of

SIZES = ((1024, 256), (960, 384), (800, 480), (640, 480))
CROPS = 4  # of each line: the page costs more than they do
HARDNESS = [replace(hard, quarter_turns=False) for hard in (camera.EASY, camera.MEDIUM, camera.HARD)]


def along(trace, places):
    """(points, directions) so many pixels along a trace; beyond its ends it goes on straight."""
    steps = np.diff(trace, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    index = np.clip(np.searchsorted(starts, places, "right") - 1, 0, len(steps) - 1)
    directions = steps[index] / lengths[index, None]
    return trace[index] + directions * (places - starts[index])[:, None], directions


def crop(grey, trace, start, end, half, shift):
    """The picture of what lies between `start` and `end` (pixels along the trace), `half` pixels
    above and below its middle, `shift` further down: HEIGHT x WIDTH."""
    fine = [int(np.clip(round(step), 1, 4)) for step in ((end - start) / WIDTH, 2 * half / HEIGHT)]
    columns, rows = WIDTH * fine[0], HEIGHT * fine[1]
    middle, direction = along(trace, start + (np.arange(columns) + 0.5) / columns * (end - start))
    below = (np.arange(rows) + 0.5) / rows * 2 * half - half + shift
    normal = np.stack([-direction[:, 1], direction[:, 0]], 1)
    places = (middle[None] + normal[None] * below[:, None, None]).astype(np.float32)
    seen = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def normalised(values):
    """As line.rs: the 2nd and 98th percentile at -1 and 1."""
    low, high = np.percentile(values.ravel()[::4], (2, 98))
    return np.clip((values - (low + high) / 2) / max(8.0, high - low) * 2, -2, 2)


def misplaced(grey, trace, text, rng):
    """A crop as one that is not quite where the line is: shifted, too long or too short, a little
    turned, not bent as the line is."""
    length = float(np.linalg.norm(np.diff(trace, axis=0), axis=1).sum())
    pitch = length / len(text)
    slack = lambda: pitch * slack_of(rng)
    tilt = rng.gauss(0, 0.06) * pitch
    normal = along(trace, np.float64([length / 2]))[1][0] @ np.float64([[0, 1], [-1, 0]])
    moved = trace + np.linspace(-tilt, tilt, len(trace))[:, None] * normal
    half = rng.uniform(*HALF_HEIGHTS) * pitch
    return crop(grey, moved, -slack(), length + slack(), half, rng.gauss(0, 0.08) * pitch)


def inside(trace, shape):
    low, high = trace.min(0), trace.max(0)
    return low[0] > 0 and low[1] > 0 and high[0] < shape[1] - 1 and high[1] < shape[0] - 1


def samples(seed, weights):
    """[(crop, text)] of one page; `weights` say how often it is easy, medium, hard."""
    rng = random.Random(seed)
    size = rng.choice(SIZES)
    shares = 0.75, 1.12 if size[0] > 2 * size[1] else 1.05
    photo = camera.photo(seed, rng.choices(HARDNESS, weights)[0], document.TRAINING, size, shares)
    lines = [(trace, text) for trace, text in zip(photo.lines, photo.texts) if inside(trace, photo.picture.shape)]
    for trace, text in lines:
        if rng.random() < COVERED:
            pitch = float(np.linalg.norm(trace[-1] - trace[0])) / len(text)
            covered(photo.picture, rng, trace[rng.randrange(len(trace))], pitch)
    cropped = lambda trace, text: normalised(misplaced(photo.picture, trace, text, rng))
    return [(cropped(trace, text), text) for trace, text in lines for _ in range(CROPS)]
