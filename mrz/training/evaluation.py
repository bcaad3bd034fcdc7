"""Makes the pictures that the reader is judged by, of other seeds, papers and scenes than it was
trained on: python evaluation.py SET COUNT OUT

What is not other: OCR-B is one design, of which fonts-ocr-b has two cuts, one for each; scenes are made
of the same grain, stripes and blobs; captions and newspapers take their words from the same stock.

SET: easy, medium, hard (photographs), video (COUNT times eight frames, medium), nasty (medium, with
something over the lines, or an end of them outside the picture: what a reader must not be sure of),
nothing (no MRZ). OUT gets the pictures and TRUTH.json: for each picture or video its files and lines."""
import json
import pathlib
import random
import sys

import cv2
import numpy as np

import camera
import document
import mrztext
import scene

SETS = "easy medium hard video nothing nasty".split()
HARDNESS = {"easy": camera.EASY, "hard": camera.HARD}  # the others are medium
SIZES = ((1280, 960), (960, 1280), (1280, 720), (1600, 1200))
FRAME = 1280, 720
LEAST_PAGE = 600  # pixels of the page's width
FRAMES = 8


def photographs(kind, seed):
    """The frames of one page; one but for a video."""
    size = FRAME if kind == "video" else random.Random(seed).choice(SIZES)
    shares = LEAST_PAGE / size[0], 0.95 if size[0] > LEAST_PAGE / 0.95 else LEAST_PAGE / size[0]
    hard = HARDNESS.get(kind, camera.MEDIUM)
    made = camera.frames(seed, hard, document.EVALUATION, size, shares)
    return [next(made) for _ in range(FRAMES if kind == "video" else 1)]


def spoilt(photo, rng):
    """A finger, a stroke or another line of print over the lines, or an end of them covered or cut off."""
    picture, line = photo.picture.copy(), photo.lines[rng.randrange(len(photo.lines))]
    pitch = float(np.linalg.norm(line[-1] - line[0])) / len(photo.texts[0])
    middle = tuple(int(value) for value in line[rng.randrange(len(line))])
    turn = float(np.degrees(np.arctan2(*(line[-1] - line[0])[::-1])))
    kind = rng.randrange(5)
    if kind == 0:
        axes = int(pitch * rng.uniform(0.5, 6)), int(pitch * rng.uniform(0.5, 3))
        cv2.ellipse(picture, middle, axes, turn + 90, 0, 360, rng.randint(60, 200), -1)
    elif kind == 1:
        width = max(1, int(pitch * rng.uniform(0.1, 1.2)))
        far = tuple(int(at + pitch * rng.uniform(-9, 9)) for at in middle)
        cv2.line(picture, middle, far, rng.randint(0, 255), width)
    elif kind == 2:
        text = mrztext.name(rng, mrztext.EVALUATION)
        tone, thick = rng.randint(0, 120), max(1, int(pitch / 6))
        cv2.putText(picture, text, middle, cv2.FONT_HERSHEY_SIMPLEX, pitch / 20, tone, thick)
    elif kind == 3:
        cover(picture, photo.lines, pitch * rng.uniform(0.4, 12), rng)
    else:
        picture = cut(picture, line if rng.random() < 0.5 else line[::-1], pitch * rng.uniform(0.4, 9))
    photo.picture = np.ascontiguousarray(picture)
    return photo


def cover(picture, lines, length, rng):
    """Something of one tone, as a thumb or a clip, over so many pixels of all lines at one end."""
    turn = rng.choice((1, -1))
    ends = np.float64([line[::turn][-1] for line in lines])
    inward = lines[0][::turn][0] - ends[0]
    inward = inward / np.linalg.norm(inward)
    across, far = np.float64([-inward[1], inward[0]]), 3 * length
    first, last = ends[0], ends[-1]
    spread = max(length, float(np.linalg.norm(last - first)))
    middle = (first + last) / 2
    places = [(length, 1), (length, -1), (-far, -1), (-far, 1)]
    corners = [middle + inward * along + across * side * spread for along, side in places]
    cv2.fillPoly(picture, [np.int32(np.round(corners))], rng.randint(50, 240))


def cut(picture, line, length):
    """Without what lies beyond so many pixels of the line from its start."""
    inward = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    x, y = (int(value) for value in line[0] + inward * length)
    if abs(inward[0]) > abs(inward[1]):
        return picture[:, x:] if inward[0] > 0 else picture[:, :x]
    return picture[y:] if inward[1] > 0 else picture[:y]


def nothing(seed):
    """Newspapers, boards, tiles, marble; on every second, a page without its MRZ, drawn face and all."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    size = rng.choice(((640, 480), (960, 720), (1280, 960), (1920, 1440), (4000, 3000)))
    kinds = document.EVALUATION.scenes
    image = scene.make(size[::-1], rng, noise, kinds)
    if rng.random() < 0.5:
        page = document.make(rng.getrandbits(40), rng.uniform(3, 6) * size[0] / 800, document.EVALUATION)
        page = page.picture[: int((page.lines[0].middle - 3) * page.scale)]
        rows, columns = min(page.shape[0], image.shape[0]), min(page.shape[1], image.shape[1])
        image[:rows, :columns] = page[:rows, :columns]
    image = camera.lit(camera.focus(image, rng, 8, camera.MEDIUM), rng, noise, camera.MEDIUM)
    return camera.Photo(camera.bytes_of(image, rng, camera.MEDIUM), "", [])


def coloured(picture, seed):
    """Under a light that is not quite white."""
    rng = random.Random(seed)
    gains = np.float32([rng.uniform(0.85, 1.0) for _ in range(3)])
    return (picture[..., None] * gains).astype(np.uint8)


def main(kind, count, out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    truth = []
    for index in range(int(count)):
        seed = 91_000_000 + 1_000_000 * SETS.index(kind) + index
        photos = [nothing(seed)] if kind == "nothing" else photographs(kind, seed)
        if kind == "nasty":
            photos = [spoilt(photo, random.Random(seed)) for photo in photos]
        names = [f"{index:04}-{frame}.png" for frame in range(len(photos))]
        for name, photo in zip(names, photos):
            cv2.imwrite(str(out / name), coloured(photo.picture, seed))
        truth.append({"images": names, "format": photos[0].format, "lines": photos[0].texts})
    (out / "TRUTH.json").write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
