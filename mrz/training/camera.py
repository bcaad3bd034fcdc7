"""A page in front of a phone: turned, tilted, curled, lit, out of focus, compressed. A seed gives a
picture and where its lines are."""
import random
from dataclasses import dataclass, field

import cv2
import numpy as np

import document
import scene

POINTS = 12  # of a line's middle, from its start to its end


@dataclass
class Hardness:
    """How far a picture is from a scan; angles in degrees, blur in characters."""

    turn: float
    tilt: float
    curl: float
    blur: float
    dark: float
    glare: float
    noise: float
    quality: int
    quarter_turns: bool


EASY = Hardness(5, 8, 0.0, 0.06, 0.9, 0.0, 0.01, 75, False)
MEDIUM = Hardness(15, 18, 0.01, 0.11, 0.6, 0.2, 0.025, 50, True)
HARD = Hardness(30, 28, 0.02, 0.17, 0.35, 0.6, 0.05, 30, True)


@dataclass
class Photo:
    picture: np.ndarray  # rows, columns, grey, bytes
    format: str
    texts: list
    lines: list = field(default_factory=list)  # POINTS x 2 each, pixels
    heights: list = field(default_factory=list)  # of the capitals, pixels


def projection(form, size, share, hard, rng):
    """Homography from the page's millimetres to pixels: turned about three axes before a camera."""
    quarter = rng.choice((0, 90, 180, 270)) if hard.quarter_turns else 0
    turn = np.radians(quarter + rng.uniform(-hard.turn, hard.turn))
    tilts = [np.radians(rng.uniform(-hard.tilt, hard.tilt)) for _ in range(2)]
    (sin, cos), (sx, cx), (sy, cy) = ((np.sin(a), np.cos(a)) for a in (turn, *tilts))
    spin = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    nod = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    shake = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rotation = shake @ nod @ spin
    focal = rng.uniform(0.9, 1.6) * max(size)
    distance = focal * form.width / (share * size[0])
    centre = np.array([[1, 0, -form.width / 2], [0, 1, -form.height / 2], [0, 0, 1.0]])
    pose = np.stack([rotation[:, 0], rotation[:, 1], [0, 0, distance]], axis=1)
    camera = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1.0]])
    return camera @ pose @ centre


def shifted(matrix, form, size, rng, keep):
    """Moved so that the page lies anywhere in the picture; `keep` points stay inside where they fit."""
    corners = cv2.perspectiveTransform(np.float64([keep]), matrix)[0]
    low, high = corners.min(0), corners.max(0)
    margin = 0.012 * np.array(size)
    room = [(margin[i] - low[i], size[i] - margin[i] - high[i]) for i in (0, 1)]
    move = [rng.uniform(*pair) if pair[0] < pair[1] else sum(pair) / 2 for pair in room]
    return np.array([[1, 0, move[0]], [0, 1, move[1]], [0, 0, 1.0]]) @ matrix


def fitted(matrix, form, size):
    """From further away where the MRZ, at the page's foot, would be wider or higher than the picture."""
    foot = [[2, form.height - 24], [form.width - 2, form.height - 24], [form.width - 2, form.height], [2, form.height]]
    corners = cv2.perspectiveTransform(np.float64([foot]), matrix)[0]
    least = min((0.97 * np.array(size) / (corners.max(0) - corners.min(0))).min(), 1)
    x, y = size[0] / 2, size[1] / 2
    return np.array([[least, 0, x - least * x], [0, least, y - least * y], [0, 0, 1.0]]) @ matrix


def looked_up(page, matrix, form, size, bend):
    """The page as the camera sees it, and where it is."""
    columns, rows = size
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32) + 0.5, np.arange(rows, dtype=np.float32) + 0.5)
    inverse = np.linalg.inv(matrix)
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    across = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / depth
    down = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / depth
    down = down - bend(across)
    where = [(v * page.scale - 0.5).astype(np.float32) for v in (across, down)]
    inside = (across > 0) & (across < form.width) & (down > 0) & (down < form.height) & (depth > 0)
    seen = cv2.remap(page.picture, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return seen, inside


def traced(page, matrix, bend):
    """The lines' middles and heights in pixels, whose middles are at whole numbers."""
    lines, heights = [], []
    for line in page.lines:
        x = np.linspace(line.left, line.right, POINTS)
        at = lambda y: cv2.perspectiveTransform(np.stack([x, y + bend(x)], 1)[None], matrix)[0]
        middle = at(np.full(POINTS, line.middle))
        tops, bottoms = (at(np.full(POINTS, line.middle + s * line.height / 2)) for s in (-1, 1))
        lines.append(middle - 0.5)
        heights.append(float(np.linalg.norm(bottoms - tops, axis=1).mean()))
    return lines, heights


def focus(image, rng, pitch, hard):
    """Out of focus, all of it or part, or shaken."""
    sigma = rng.uniform(0, hard.blur) * pitch
    if sigma > 0.2:
        soft = cv2.GaussianBlur(image, (0, 0), sigma)
        if rng.random() < 0.3:
            sharp = cv2.GaussianBlur(image, (0, 0), max(0.2, sigma * 0.3))
            where = document.coarse(image.shape[:2], np.random.default_rng(rng.getrandbits(32)), (2, 2), 1.0)
            ramp = np.clip(where + 0.5, 0, 1)
            soft = soft * ramp + sharp * (1 - ramp)
        image = soft
    if rng.random() < 0.3:
        length, turn = max(1, int(rng.uniform(0, hard.blur * 1.5) * pitch)), rng.uniform(0, 3.14)
        kernel = np.zeros((length * 2 + 1,) * 2, np.float32)
        step = length * np.cos(turn), length * np.sin(turn)
        ends = [(int(round(length + s * step[0])), int(round(length + s * step[1]))) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1)
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    return image


def lit(image, rng, noise, hard):
    """Shadows, glare, exposure, grain of the sensor."""
    shape = image.shape[:2]
    if rng.random() < 0.6:
        image = image * np.clip(1 - np.abs(document.coarse(shape, noise, (2, 3), 0.25)), 0.3, 1)
    if rng.random() < 0.25:
        edge = document.coarse(shape, noise, (2, 2), 1.0) > rng.uniform(-0.5, 0.5)
        shadow = cv2.GaussianBlur(edge.astype(np.float32), (0, 0), max(1, rng.uniform(0.002, 0.03) * shape[1]))
        image = image * (1 - rng.uniform(0.2, 0.6) * shadow)
    if rng.random() < hard.glare:
        spot = np.zeros(shape, np.float32)
        for _ in range(rng.randint(1, 3)):
            middle = rng.randint(0, shape[1]), rng.randint(0, shape[0])
            axes = [max(2, int(rng.uniform(0.01, 0.12) * shape[1])) for _ in range(2)]
            cv2.ellipse(spot, middle, axes, rng.uniform(0, 360), 0, 360, rng.uniform(0.2, 0.9), -1)
        image = image + cv2.GaussianBlur(spot, (0, 0), 0.02 * shape[1])
    exposure = rng.uniform(hard.dark, 1.1)
    image = image * np.float32(exposure) + np.float32(rng.uniform(-0.03, 0.06))
    grain = rng.uniform(0.002, hard.noise)
    return image + np.float32(grain) * noise.standard_normal(image.shape, np.float32)


def bytes_of(image, rng, hard):
    picture = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.8:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(hard.quality, 96)]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_GRAYSCALE)
    return picture


def photo(seed, hard, style=document.TRAINING, size=None, shares=(0.42, 1.0)):
    """A photograph of `size` (columns, rows) in which the page is about `shares` of the width."""
    return next(frames(seed, hard, style, size, shares))


def frames(seed, hard, style=document.TRAINING, size=None, shares=(0.42, 1.0)):
    """Photographs of one page without end: each from a little elsewhere and with its own noise; focus
    and light, glare too, change now and then."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    size = size or rng.choice(((640, 480), (480, 640), (640, 360), (512, 512), (360, 640)))
    kind = rng.choices(list(document.FORMATS), (62, 10, 16, 7, 5))[0]
    form = document.FORMATS[kind]
    pose = fitted(projection(form, size, rng.uniform(*shares), hard, rng), form, size)
    scale = np.clip(float(cv2.norm(traced_width(pose, form))) / form.width, 2.0, 12.0)
    page = document.make(rng.getrandbits(40), min(12.0, scale * rng.uniform(1.0, 1.5)), style, kind)
    pose = shifted(pose, form, size, rng, around(page))
    height = rng.uniform(-hard.curl, hard.curl) * form.width
    waves = rng.choice((1, 1, 2))
    bend = lambda x: height * np.sin(np.clip(x / form.width, -0.2, 1.2) * 3.14159 * waves)
    behind = scene.make(size[::-1], rng, noise, style.scenes)
    matrix, light = pose, rng.getrandbits(32)
    while True:
        yield taken(page, matrix, bend, behind, random.Random(light), noise, hard)
        matrix = shaken(pose, size, rng)
        if rng.random() < 0.3:
            light = rng.getrandbits(32)


def around(page):
    """Corners in millimetres that are to be seen."""
    first, last = page.lines[0], page.lines[-1]
    return [[first.left - 1, first.middle - 4], [first.right + 1, first.middle - 4],
            [last.right + 1, last.middle + 4], [last.left - 1, last.middle + 4]]


def shaken(pose, size, rng):
    """A hand's tremor about a pose: a few pixels, half a degree."""
    turn = np.radians(rng.gauss(0, 0.5))
    grown = 1 + rng.gauss(0, 0.01)
    cos, sin = np.cos(turn) * grown, np.sin(turn) * grown
    x, y = size[0] / 2, size[1] / 2
    right, down = (rng.gauss(0, 0.006) * side for side in size)
    shift = x - cos * x + sin * y + right, y - sin * x - cos * y + down
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]], [0, 0, 1.0]]) @ pose


def taken(page, matrix, bend, behind, rng, noise, hard):
    """One photograph; `rng` says focus and light."""
    form = document.FORMATS[page.format]
    size = behind.shape[1::-1]
    seen, inside = looked_up(page, matrix, form, size, bend)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)
    image = seen * soft + behind * (1 - soft)
    lines, heights = traced(page, matrix, bend)
    pitch = float(np.linalg.norm(lines[0][-1] - lines[0][0])) / form.characters
    image = lit(focus(image, rng, pitch, hard), rng, noise, hard)
    texts = [line.text for line in page.lines]
    return Photo(bytes_of(image, rng, hard), page.format, texts, lines, heights)


def traced_width(matrix, form):
    ends = cv2.perspectiveTransform(np.float64([[[0, form.height], [form.width, form.height]]]), matrix)[0]
    return ends[1] - ends[0]
