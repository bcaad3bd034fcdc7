"""Flat data pages of fictional people, as printed: a passport, a card or a visa with its MRZ, at a
given number of pixels per millimetre (ICAO 9303-4 to -7: sizes and places). A seed gives a page."""
import os
import random
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import mrztext

cv2.setNumThreads(0)
FONT_FOLDER = os.environ.get("OCRB_FONTS", "/usr/share/fonts/opentype/ocr-b")  # fonts-ocr-b
LABEL_FOLDER = os.environ.get("LABEL_FONTS", "/usr/share/fonts/truetype/dejavu")  # fonts-dejavu
PITCH = 2.54  # millimetres a character: ten to the inch (ICAO 9303-3 §4.2)


@dataclass
class Style:
    """What training and evaluation take from different stocks."""

    stock: mrztext.Stock
    mrz_fonts: tuple
    label_fonts: tuple
    papers: tuple
    scenes: tuple
    overprinted: bool  # now and then a large word lies across the MRZ, as on specimens


TRAINING = Style(
    mrztext.TRAINING,
    ("OCRB.otf",),
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"),
    ("plain", "guilloche", "shade", "rosette"),
    ("plain", "gradient", "grain", "cloth", "print", "blobs"),
    True,
)
EVALUATION = Style(
    mrztext.EVALUATION,
    ("OCRBS.otf",),
    ("DejaVuSansCondensed.ttf", "DejaVuSerif-Bold.ttf", "DejaVuMathTeXGyre.ttf"),
    ("net", "moire", "landscape"),
    ("boards", "tiles", "marble", "newspaper"),
    False,
)


@dataclass
class Format:
    width: float
    height: float
    lines: int
    characters: int


FORMATS = {
    "TD3": Format(125, 88, 2, 44),
    "TD2": Format(105, 74, 2, 36),
    "TD1": Format(85.6, 54, 3, 30),
    "MRVA": Format(120, 80, 2, 44),
    "MRVB": Format(105, 74, 2, 36),
}


@dataclass
class Line:
    """A line of the MRZ: its text, and the middle of its capitals from the left edge of the first
    character to the right edge of the last, in millimetres."""

    text: str
    left: float
    right: float
    middle: float
    height: float


@dataclass
class Document:
    picture: np.ndarray  # rows, columns; 0 black to 1 white
    lines: list
    format: str
    scale: float  # pixels a millimetre


_fonts = {}


def font(file, size, folder=FONT_FOLDER):
    key = file, size, folder
    if key not in _fonts:
        if len(_fonts) > 400:
            _fonts.clear()
        _fonts[key] = ImageFont.truetype(os.path.join(folder, file), size)
    return _fonts[key]


def texts(rng, kind, stock):
    if kind == "TD1":
        return mrztext.td1(rng, stock)
    if kind in ("TD2", "MRVB"):
        lines = mrztext.td2(rng, stock)
        return ["V" + lines[0][1:], lines[1]] if kind == "MRVB" else lines
    lines = mrztext.td3(rng, stock)
    return ["V" + lines[0][1:], lines[1]] if kind == "MRVA" else lines


# Papers


def waves(shape, rng, count, depth, sharp=0.5):
    """Guilloche: wavy parallel lines, one tone of 0 to 1 each."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    tone = np.zeros(shape, np.float32)
    for _ in range(count):
        period, turn = rng.uniform(0.004, 0.05) * width, rng.uniform(0, 3.14)
        wobble, length = rng.uniform(0, 0.02) * width, rng.uniform(0.05, 0.4) * width
        across = x * np.sin(turn) - y * np.cos(turn)
        along = x * np.cos(turn) + y * np.sin(turn) + wobble * np.sin(across / length * 6.28)
        wave = np.sin(along / max(2.5, period) * 6.28)
        if rng.random() < sharp:
            wave = (wave > rng.uniform(0.2, 0.9)).astype(np.float32)
        tone += rng.uniform(*depth) * wave
    return tone


def rosette(shape, rng):
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x - rng.uniform(0, width), y - rng.uniform(0, height)
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    petals, period = rng.randint(4, 24), rng.uniform(0.01, 0.06) * width
    return rng.uniform(0.03, 0.14) * np.sin(radius / period * 6.28 + rng.uniform(1, 4) * np.sin(petals * angle))


def net(shape, rng):
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cell = rng.uniform(0.008, 0.03) * width
    lines = np.minimum(np.abs(((x + y) / cell) % 1 - 0.5), np.abs(((x - y) / cell) % 1 - 0.5))
    return rng.uniform(0.05, 0.18) * (lines < rng.uniform(0.04, 0.12)).astype(np.float32)


def coarse(shape, noise, cells, depth):
    grid = noise.normal(0, depth, cells).astype(np.float32)
    return cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)


def landscape(shape, rng, noise):
    """Hills and a building's outline, as the visual zone of many passports has them."""
    height, width = shape
    tone = np.zeros(shape, np.float32)
    columns = np.arange(width)
    for _ in range(rng.randint(2, 5)):
        ridge = coarse((1, width), noise, (1, rng.randint(4, 14)), 0.1)[0] * height
        ridge = rng.uniform(0.2, 0.9) * height + ridge
        tone[np.arange(height)[:, None] > ridge[columns][None]] += rng.uniform(0.02, 0.08)
    for _ in range(rng.randint(0, 30)):
        left, top = rng.randint(0, width - 1), rng.randint(0, height - 1)
        right, bottom = left + rng.randint(1, max(2, width // 12)), top + rng.randint(1, max(2, height // 6))
        tone[top:bottom, left:right] += rng.uniform(-0.03, 0.07)
    return tone


def paper(shape, rng, noise, papers):
    """An even tone with what is printed under the text."""
    base = rng.uniform(0.65, 1.0)
    kind = rng.choice(papers)
    tone = np.zeros(shape, np.float32)
    if kind in ("guilloche", "moire"):
        tone = waves(shape, rng, rng.randint(1, 4), (0.01, 0.11), 0.5 if kind == "guilloche" else 0.0)
    elif kind == "rosette":
        tone = rosette(shape, rng) + waves(shape, rng, 1, (0.01, 0.05))
    elif kind == "net":
        tone = net(shape, rng)
    elif kind == "landscape":
        tone = landscape(shape, rng, noise)
    if kind != "plain":
        tone = tone + coarse(shape, noise, (rng.randint(2, 6), rng.randint(2, 8)), rng.uniform(0.01, 0.06))
    return np.float32(base) - tone * np.float32(rng.uniform(0.5, 1.2))


# What is printed


def labels(draw, rng, shape, scale, style, bottom):
    """Captions and entries of the visual zone, above the MRZ."""
    left = rng.uniform(0.3, 0.42) * shape[1]
    y = rng.uniform(0.02, 0.1) * shape[0]
    while y < bottom - 4 * scale:
        small = rng.random() < 0.5
        size = max(5, int((rng.uniform(1.5, 2.2) if small else rng.uniform(2.2, 3.8)) * scale))
        face = font(rng.choice(style.label_fonts), size, LABEL_FOLDER)
        for x in (left, left + rng.uniform(0.2, 0.35) * shape[1])[: rng.randint(1, 2)]:
            words = " ".join(mrztext.name(rng) for _ in range(rng.randint(1, 3)))
            words = words.capitalize() if small else words
            if rng.random() < 0.3:
                day = mrztext.date(rng, 30, 124)[:2]
                words = f"{day}.0{rng.randint(1, 9)}.20{rng.randint(10, 35)}"
            draw.text((x, y), words, fill=rng.randint(0, 110), font=face)
        y += size * rng.uniform(1.15, 2.2)


def stamp(draw, rng, shape, scale, style, bottom):
    """A large word across the page."""
    size = max(8, int(rng.uniform(6, 14) * scale))
    face = font(rng.choice(style.label_fonts), size, LABEL_FOLDER)
    lowest = 0.9 * shape[0] if style.overprinted else max(0, bottom - 1.3 * size)
    place = rng.uniform(0, 0.6) * shape[1], rng.uniform(0.1, 1) * lowest
    word = rng.choice(("SPECIMEN", "MUSTER", "EKSEMPEL", "MODEL"))
    draw.text(place, word, fill=rng.randint(60, 170), font=face)


def scribble(draw, rng, shape, bottom):
    x, y = rng.uniform(0.3, 0.7) * shape[1], rng.uniform(0.6, 0.95) * bottom
    points = []
    for _ in range(rng.randint(8, 25)):
        points.append((x, y + rng.gauss(0, 0.03) * shape[0]))
        x += abs(rng.gauss(0, 0.015)) * shape[1]
    draw.line(points, fill=rng.randint(10, 90), width=max(1, shape[0] // 300))


def portrait(picture, rng, noise, bottom):
    """Head and shoulders in rough tones."""
    rows, columns = picture.shape[:2]
    height = int(min(0.55 * rows, 0.9 * bottom))
    width = int(height * rng.uniform(0.7, 0.82))
    top, left = int(rng.uniform(0.08, 0.2) * rows), int(rng.uniform(0.03, 0.08) * columns)
    height = min(height, int(bottom) - top)
    if height < 8 or width < 8:
        return
    box = np.full((height, width), rng.uniform(0.6, 0.95), np.float32)
    skin = rng.uniform(0.35, 0.85)
    hair, cloth = rng.uniform(0, 0.5), rng.uniform(0, 0.8)
    middle = (width // 2, int(height * 0.45))
    cv2.ellipse(box, (middle[0], int(height * 0.4)), (int(width * 0.3), int(height * 0.33)), 0, 0, 360, hair, -1)
    cv2.ellipse(box, middle, (int(width * 0.22), int(height * 0.28)), 0, 0, 360, skin, -1)
    cv2.ellipse(box, (middle[0], int(height * 1.05)), (int(width * 0.45), int(height * 0.3)), 0, 0, 360, cloth, -1)
    for side in (-1, 1):
        cv2.circle(box, (middle[0] + side * width // 11, int(height * 0.4)), max(1, width // 40), 0.1, -1)
    box = cv2.GaussianBlur(box, (0, 0), max(0.5, width / 120)) + coarse((height, width), noise, (8, 6), 0.05)
    picture[top : top + height, left : left + width] = box[: rows - top, : columns - left]


def mrz_ink(shape, lines, rng, style, scale):
    """Ink of the MRZ lines alone, 0 to 1."""
    image = Image.new("L", shape[::-1], 0)
    draw = ImageDraw.Draw(image)
    face_file = rng.choice(style.mrz_fonts)
    wobble = rng.uniform(0, 0.012) * PITCH
    for line in lines:
        # Capitals are 0.70 of the size high.
        face = font(face_file, max(6, int(round(line.height / 0.70 * scale))))
        advance = (line.right - line.left) / len(line.text)
        baseline = line.middle + line.height / 2
        for index, character in enumerate(line.text):
            x = line.left + advance * (index + 0.5)
            y = baseline + rng.gauss(0, 1) * wobble
            draw.text((x * scale, y * scale), character, fill=255, font=face, anchor="ms")
    ink = np.asarray(image, np.float32) / 255
    weight = rng.random()
    if weight < 0.2 and scale > 6:
        ink = cv2.dilate(ink, np.ones((2, 2), np.uint8))
    elif weight < 0.35 and scale > 8:
        ink = cv2.erode(ink, np.ones((2, 2), np.uint8))
    return ink


def placed(kind, rng, stock):
    """Where the lines stand."""
    form = FORMATS[kind]
    pitch = PITCH * rng.uniform(0.97, 1.02)
    left = max(1.5, (form.width - form.characters * pitch) / 2 + rng.gauss(0, 1.2))
    spacing = rng.uniform(5.9, 6.8) if form.lines == 2 else rng.uniform(5.0, 6.4)
    last = form.height - rng.uniform(5.5, 10)
    height = rng.uniform(2.2, 2.75)
    rows = enumerate(texts(rng, kind, stock))
    return [
        Line(text, left, left + len(text) * pitch, last - (form.lines - 1 - row) * spacing, height)
        for row, text in rows
    ]


def make(seed, scale, style=TRAINING, kind=None):
    """A flat page at `scale` pixels a millimetre."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    kind = kind or rng.choices(list(FORMATS), (62, 10, 16, 7, 5))[0]
    form = FORMATS[kind]
    shape = int(form.height * scale), int(form.width * scale)
    picture = paper(shape, rng, noise, style.papers)
    lines = placed(kind, rng, style.stock)
    top = (lines[0].middle - lines[0].height) * scale
    if rng.random() < 0.4:  # many states keep the zone of the MRZ blank
        clear = rng.uniform(0.5, 1.0)
        picture[int(top - rng.uniform(0, 3) * scale) :] *= 1 - clear
        picture[int(top - rng.uniform(0, 3) * scale) :] += clear * rng.uniform(0.8, 1.0)
    if rng.random() < 0.9:
        portrait(picture, rng, noise, top - scale)
    image = Image.new("L", shape[::-1], 255)
    draw = ImageDraw.Draw(image)
    labels(draw, rng, shape, scale, style, top)
    if rng.random() < 0.25:
        stamp(draw, rng, shape, scale, style, top)
    if rng.random() < 0.6:
        scribble(draw, rng, shape, top)
    picture *= np.asarray(image, np.float32) / 255
    ink = mrz_ink(shape, lines, rng, style, scale)
    tone = np.float32(rng.uniform(0.0, 0.32))
    picture = picture * (1 - ink) + np.minimum(picture - np.float32(rng.uniform(0.15, 0.35)), tone) * ink
    return Document(np.clip(picture, 0, 1), lines, kind, scale)
