"""What lies behind and around a page in the hand: tables, cloth, tiles, other print."""
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw

import document
import mrztext


def gradient(shape, rng, noise):
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, 6.28)
    ramp = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    return ramp * rng.uniform(0.2, 0.8)


def grain(shape, rng, noise):
    """Wood: stretched noise."""
    long, short = rng.randint(2, 8), rng.randint(30, 120)
    cells = (short, long) if rng.random() < 0.5 else (long, short)
    return document.coarse(shape, noise, cells, rng.uniform(0.03, 0.12))


def cloth(shape, rng, noise):
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    period = rng.uniform(2, 9)
    weave = np.sin(x / period * 6.28) * np.sin(y / period * 6.28)
    return rng.uniform(0.02, 0.08) * weave + noise.normal(0, 0.04, shape)


def printed(shape, rng, noise, fonts=document.TRAINING.label_fonts):
    """A page of text at any angle."""
    height, width = shape
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    size = rng.randint(8, 30)
    face = document.font(rng.choice(fonts), size, document.LABEL_FOLDER)
    mono = rng.random() < 0.3
    for y in range(0, height, int(size * rng.uniform(1.2, 1.8))):
        if rng.random() < 0.12:
            continue
        count = width // size // 2 + 1
        words = mrztext.line(rng) if mono else " ".join(mrztext.name(rng).lower() for _ in range(count))
        draw.text((rng.uniform(0, 20), y), words, fill=255, font=face)
    ink = np.asarray(image, np.float32) / 255
    if rng.random() < 0.7:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(0, 360), 1.3)
        ink = cv2.warpAffine(ink, turn, (width, height))
    return -rng.uniform(0.3, 0.8) * ink


def blobs(shape, rng, noise):
    tone = np.zeros(shape, np.float32)
    for _ in range(rng.randint(3, 25)):
        middle = rng.randint(0, shape[1]), rng.randint(0, shape[0])
        axes = rng.randint(4, shape[1] // 3), rng.randint(4, shape[0] // 3)
        cv2.ellipse(tone, middle, axes, rng.uniform(0, 360), 0, 360, rng.uniform(-0.5, 0.5), -1)
    return tone


def boards(shape, rng, noise):
    tone = grain(shape, rng, noise)
    step = max(12, shape[1] // rng.randint(3, 9))
    for x in range(rng.randint(0, step), shape[1], step):
        tone[:, x : x + max(1, step // 40)] -= 0.3
    return tone


def tiles(shape, rng, noise):
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    cell = max(8, width // rng.randint(4, 20))
    odd = ((x // cell + y // cell) % 2).astype(np.float32)
    gap = ((x % cell) < 2) | ((y % cell) < 2)
    return rng.uniform(0, 0.4) * odd - 0.3 * gap


def marble(shape, rng, noise):
    veins = document.coarse(shape, noise, (rng.randint(4, 20),) * 2, 1.0)
    return -rng.uniform(0.1, 0.4) * (np.abs(veins) < rng.uniform(0.03, 0.15))


def newspaper(shape, rng, noise):
    return printed(shape, rng, noise, document.EVALUATION.label_fonts) + 0.1 * blobs(shape, rng, noise)


KINDS = {
    "plain": lambda shape, rng, noise: np.zeros(shape, np.float32),
    "gradient": gradient,
    "grain": grain,
    "cloth": cloth,
    "print": printed,
    "blobs": blobs,
    "boards": boards,
    "tiles": tiles,
    "marble": marble,
    "newspaper": newspaper,
}


def make(shape, rng, noise, kinds):
    """A picture of `shape`, grey, 0 to 1."""
    tone = np.asarray(KINDS[rng.choice(kinds)](shape, rng, noise), np.float32)
    tone = tone + document.coarse(shape, noise, (3, 4), 0.05)
    return np.clip(np.float32(rng.uniform(0.05, 0.95)) + tone, 0, 1).astype(np.float32)
