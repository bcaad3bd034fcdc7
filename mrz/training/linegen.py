"""Pictures of MRZ lines as a phone camera sees them: rendered in OCR-B, cropped with jitter,
degraded, normalised to 32 x 640. A seed gives a picture and its text."""
import os
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import mrztext
from covering import covered

cv2.setNumThreads(0)
FONT_FOLDER = os.environ.get("OCRB_FONTS", "/usr/share/fonts/opentype/ocr-b")  # fonts-ocr-b
FONT_FILE = "OCRB.otf"
HEIGHT, WIDTH = 32, 640
MARGIN = 0.3  # of a character, left and right of the text, where the locator errs by nothing
HALF_HEIGHTS = 0.62, 1.0  # of a crop, in characters
COVERED = 0.2  # of the lines have something over a character or two
_fonts = {}


def font(file, size):
    if (file, size) not in _fonts:
        _fonts[file, size] = ImageFont.truetype(os.path.join(FONT_FOLDER, file), size)
    return _fonts[file, size]


def render(text, rng, pitch):
    """Ink (0..1) of the text at about `pitch` pixels per character: (ink, left edge, baseline,
    width of the text)."""
    face = font(FONT_FILE, rng.randint(int(pitch * 1.25), int(pitch * 1.5)))
    advance = pitch * rng.uniform(0.97, 1.03)
    margin = int(pitch * 1.5)
    size = int(advance * len(text)) + 2 * margin, int(pitch * 2) + 2 * margin
    image = Image.new("L", size, 0)
    draw = ImageDraw.Draw(image)
    baseline = margin + int(pitch * 1.5)
    for index, character in enumerate(text):
        place = margin + advance * (index + 0.5), baseline + rng.gauss(0, 0.01) * pitch
        draw.text(place, character, fill=255, font=face, anchor="ms")
    return np.asarray(image, np.float32) / 255, margin, baseline, advance * len(text)


def background(height, width, rng, noise):
    """Paper: an even tone, often with guilloche waves and uneven shade."""
    paper = np.full((height, width), rng.uniform(0.55, 1.0), np.float32)
    if rng.random() < 0.6:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        for _ in range(rng.randint(1, 3)):
            period, turn = rng.uniform(4, 40), rng.uniform(0, 3.14)
            wobble, length = rng.uniform(0, 12), rng.uniform(40, 300)
            across = x * np.sin(turn) - y * np.cos(turn)
            along = x * np.cos(turn) + y * np.sin(turn) + wobble * np.sin(across / length * 6.28)
            wave = np.sin(along / period * 6.28)
            if rng.random() < 0.5:
                wave = (wave > rng.uniform(0.3, 0.9)).astype(np.float32)
            paper -= rng.uniform(0.02, 0.16) * wave
    if rng.random() < 0.5:
        coarse = rng.uniform(0.01, 0.08), (rng.randint(2, 6), rng.randint(3, 16))
        shade = noise.normal(0, *coarse).astype(np.float32)
        paper += cv2.resize(shade, (width, height), interpolation=cv2.INTER_CUBIC)
    return paper


def inked(text, rng, noise, pitch):
    """The text on paper, now and then with a neighbouring line, thicker or thinner strokes."""
    ink, margin, baseline, width = render(text, rng, pitch)
    height, whole = ink.shape
    if rng.random() < 0.5:
        other = render(mrztext.line(rng)[: len(text)], rng, pitch)[0]
        shift = int(pitch * rng.uniform(1.55, 1.9)) * rng.choice([-1, 1])
        moved = cv2.warpAffine(other, np.float32([[1, 0, 0], [0, 1, shift]]), (whole, height))
        ink = np.maximum(ink, moved)
    stroke = rng.random()
    if stroke < 0.2:
        ink = cv2.dilate(ink, np.ones((2, 2), np.uint8))
    elif stroke < 0.3:
        ink = cv2.erode(ink, np.ones((2, 2), np.uint8))
    tone = rng.uniform(0.02, 0.35)
    paper = background(height, whole, rng, noise)
    dark = np.minimum(paper - rng.uniform(0.15, 0.3), tone + noise.normal(0, 0.01))
    return paper * (1 - ink) + ink * dark, margin, baseline, width


def slack_of(rng):
    """Characters between the text and the edge of the crop: what a locator makes of MARGIN."""
    return np.clip(MARGIN + rng.gauss(0, 0.45), -0.05, 1.7)


def cropped(image, margin, baseline, width, rng, pitch, count, hard):
    """A slightly skewed crop at a camera's resolution, tight or loose."""
    jitter = lambda spread: rng.gauss(0, spread) * pitch * hard
    slack = lambda: pitch * slack_of(rng)
    left, right = margin - slack(), margin + width + slack()
    middle = baseline - pitch * 0.5 + jitter(0.08)
    half = pitch * rng.uniform(*HALF_HEIGHTS)
    corners = [(left, -half), (right, -half), (right, half), (left, half)]
    quad = np.float32([[x + jitter(0.08), middle + y + jitter(0.07)] for x, y in corners])
    columns = int(count * rng.choice([8, 9, 10, 11, 12, 14, 16, 18]))
    rows = max(10, int(columns / width * 2 * half * rng.uniform(0.9, 1.1)))

    def warp(size):
        target = np.float32([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]])
        turn = cv2.getPerspectiveTransform(quad, target)
        return cv2.warpPerspective(image, turn, size, borderMode=cv2.BORDER_REPLICATE)

    if columns >= width * 0.7:
        return warp((columns, rows))
    fine = warp((int(width), max(8, int(2 * half))))
    return cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)


def bowed(image, rng):
    rows, columns = image.shape
    height = rng.gauss(0, 0.05) * rows
    x = np.arange(columns, dtype=np.float32)
    bow = height * np.sin(x / columns * 3.14 * rng.choice([1, 2]))[None]
    y = (np.mgrid[0:rows, 0:columns][0] + bow).astype(np.float32)
    x = np.tile(x, (rows, 1))
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def blurred(image, rng, pitch, hard):
    if rng.random() < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), max(0.1, rng.uniform(0.0, 0.16) * pitch * hard))
    if rng.random() < 0.25:
        length, turn = max(1, int(rng.uniform(0.1, 0.4) * pitch * hard)), rng.uniform(0, 3.14)
        kernel = np.zeros((length * 2 + 1,) * 2, np.float32)
        step = length * np.cos(turn), length * np.sin(turn)
        ends = [(int(length + s * step[0]), int(length + s * step[1])) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1)
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    return image


def lit(image, rng, noise, hard):
    """Uneven light, glare, exposure and sensor noise."""
    columns = image.shape[1]
    if rng.random() < 0.5:
        image = image * np.linspace(rng.uniform(0.4, 1), rng.uniform(0.4, 1), columns, dtype=np.float32)[None]
    if rng.random() < 0.15 * hard:
        centre, spread = rng.uniform(0, columns), rng.uniform(0.03, 0.2) * columns
        glare = np.exp(-(((np.arange(columns) - centre) / spread) ** 2)).astype(np.float32)
        image = image + rng.uniform(0.2, 0.7) * glare[None]
    exposure = rng.uniform(0.35, 1.1)
    image = image * exposure + rng.uniform(-0.05, 0.1)
    grain = rng.choice([0.005, 0.01, 0.02, 0.03, 0.05]) * hard * exposure
    return image + grain * noise.standard_normal(image.shape, np.float32)


def normalised(crop):
    """A grey crop as the network takes it: 32 x 640, the 2nd and 98th percentile at -1 and 1."""
    shrinking = cv2.INTER_AREA if crop.shape[1] > WIDTH else cv2.INTER_LINEAR
    crop = cv2.resize(crop, (WIDTH, HEIGHT), interpolation=shrinking).astype(np.float32)
    low, high = np.percentile(crop[:, ::4], (2, 98))
    return np.clip((crop - (low + high) / 2) / max(8, high - low) * 2, -2, 2)


def sample(seed, hard=1.0, text=None):
    """A line's picture for the network and its text; `hard` from 0 to 1."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    text = text or mrztext.line(rng)
    pitch = rng.choice([18, 22, 26])
    image, margin, baseline, width = inked(text, rng, noise, pitch)
    if rng.random() < COVERED:
        covered(image, rng, (margin + rng.random() * width, baseline - pitch * 0.5), pitch)
    image = cropped(image, margin, baseline, width, rng, pitch, len(text), hard)
    if rng.random() < 0.3:
        image = bowed(image, rng)
    image = blurred(image, rng, image.shape[1] / len(text), hard)
    image = lit(image, rng, noise, hard)
    crop = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(25, 95)]
        crop = cv2.imdecode(cv2.imencode(".jpg", crop, quality)[1], cv2.IMREAD_GRAYSCALE)
    if rng.random() < 0.02:
        crop = 255 - crop
    return normalised(crop), text
