"""The locator: where the lines of an MRZ are in a picture, and which way they run. Two networks of one
build: one looks at the whole picture, one at the zone that the first found, upright and enlarged.

Input: grey. Output, at half that size: whether the place is within the capitals of an MRZ line, and
the direction of reading there as cosine and sine."""
import cv2
import numpy as np
import torch
from torch import nn

WHOLE = 384, 384  # columns, rows
ZONE = 512, 128
FILLED = 0.8  # of the zone's columns, by the longest line


def convolution(inputs, outputs, stride=1, dilation=1):
    layer = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(True))


def doubled(maps):
    return nn.functional.interpolate(maps, scale_factor=2.0, mode="nearest")


class Locator(nn.Module):
    """A small U: down to a sixteenth, wide views there, and up to a half."""

    def __init__(self):
        super().__init__()
        self.to_half = convolution(1, 8, 2)
        self.to_quarter = nn.Sequential(convolution(8, 16, 2), convolution(16, 16))
        self.to_eighth = nn.Sequential(convolution(16, 32, 2), convolution(32, 32))
        self.deep = nn.Sequential(
            convolution(32, 48, 2), convolution(48, 48, 1, 2), convolution(48, 48, 1, 4), convolution(48, 48)
        )
        self.up_eighth = convolution(48 + 32, 32)
        self.up_quarter = convolution(32 + 16, 16)
        self.up_half = convolution(16 + 8, 12)
        self.maps = nn.Conv2d(12, 3, 1)

    def forward(self, x):
        half = self.to_half(x)
        quarter = self.to_quarter(half)
        eighth = self.to_eighth(quarter)
        up = self.up_eighth(torch.cat([doubled(self.deep(eighth)), eighth], 1))
        up = self.up_quarter(torch.cat([doubled(up), quarter], 1))
        return self.maps(self.up_half(torch.cat([doubled(up), half], 1)))


def normalised(values):
    """As the networks take it: the 1st and 99th percentile of every fourth row and column at -1 and
    1, cut off at 1.5."""
    low, high = np.percentile(values[::4, ::4], (1, 99))
    half = max(16.0, high - low) / 2
    return np.clip((values.astype(np.float32) - (low + high) / 2) / half, -1.5, 1.5)


def whole(picture):
    """(input, matrix from the picture to the input): the longer side fills it, the rest is 0."""
    factor = WHOLE[0] / max(picture.shape[:2])
    size = [max(1, round(side * factor)) for side in picture.shape[1::-1]]
    shrinking = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = normalised(cv2.resize(picture, size, interpolation=shrinking))
    framed = np.zeros(WHOLE[::-1], np.float32)
    framed[: size[1], : size[0]] = small
    shift = (factor - 1) / 2  # the middles of pixels are at whole numbers
    return framed, np.float64([[factor, 0, shift], [0, factor, shift]])


def zone(picture, centre, along, length):
    """(input, matrix from the picture to the input): `along`, a direction of length 1, runs from left
    to right, and `length` pixels fill FILLED of the columns."""
    factor = FILLED * ZONE[0] / length
    cos, sin = np.float64(along) * factor
    turn = np.float64([[cos, sin], [-sin, cos]])
    shift = np.float64(ZONE) / 2 - turn @ np.float64(centre)
    matrix = np.column_stack([turn, shift])
    if factor < 0.75:  # not to lose thin strokes between the samples
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / factor)
    seen = cv2.warpAffine(picture, matrix, ZONE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return normalised(seen), matrix


def targets(photo, matrix, size):
    """(core, cosine, sine) at half of `size`, which the matrix maps the photograph's lines to."""
    columns, rows = size[0] // 2, size[1] // 2
    maps = np.zeros((3, rows, columns), np.float32)
    turn = matrix[:, :2]
    factor = np.sqrt(abs(np.linalg.det(turn))) / 2
    for line, height in zip(photo.lines, photo.heights):
        points = (line @ turn.T + matrix[:, 2]) / 2 - 0.25
        thick = max(1, round(height * factor))
        along = points[-1] - points[0]
        along = along / max(1e-6, np.linalg.norm(along))
        trace = [np.round(points * 16).astype(np.int32)]
        for index, value in enumerate((1.0, float(along[0]), float(along[1]))):
            cv2.polylines(maps[index], trace, False, value, thick, cv2.LINE_8, 4)
    return maps


def loss(output, maps):
    """Cross entropy and overlap of the core; the direction only where a line is."""
    core, truth = output[:, 0], maps[:, 0]
    entropy = nn.functional.binary_cross_entropy_with_logits(core, truth, pos_weight=torch.tensor(3.0))
    chance = torch.sigmoid(core)
    overlap = 1 - (2 * (chance * truth).sum((1, 2)) + 1) / (chance.sum((1, 2)) + truth.sum((1, 2)) + 1)
    wrong = nn.functional.smooth_l1_loss(output[:, 1:], maps[:, 1:], reduction="none").sum(1)
    direction = (wrong * truth).sum() / (truth.sum() + 1)
    return entropy + 0.5 * overlap.mean() + direction
