"""The line recogniser: convolutions that fold the height away, two wide residual blocks along the
line, one score per symbol at each of 160 places."""
import torch
from torch import nn

SYMBOLS = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CLASS = {symbol: index + 1 for index, symbol in enumerate(SYMBOLS)}  # class 0: nothing here


def convolution(inputs, outputs, kernel, stride):
    padding = tuple(side // 2 for side in (kernel, kernel))
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU(True))


class Along(nn.Module):
    """A residual block that looks along the line."""

    def __init__(self, channels, dilation):
        super().__init__()
        first = nn.Conv2d(channels, channels, (1, 3), padding=(0, dilation), dilation=(1, dilation), bias=False)
        second = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False)
        self.layers = nn.Sequential(
            first, nn.BatchNorm2d(channels), nn.ReLU(True), second, nn.BatchNorm2d(channels)
        )

    def forward(self, x):
        return torch.relu(x + self.layers(x))


class Network(nn.Module):
    """1 x 32 x 640 to 160 rows of 38 scores."""

    def __init__(self, channels=96):
        super().__init__()
        self.features = nn.Sequential(
            convolution(1, 16, 3, 2),  # 16 x 320
            convolution(16, 32, 3, (2, 1)),  # 8 x 320
            convolution(32, 48, 3, (1, 2)),  # 8 x 160
            convolution(48, 64, 3, (2, 1)),  # 4 x 160
            convolution(64, channels, 3, (2, 1)),  # 2 x 160
            nn.Conv2d(channels, channels, (2, 1), bias=False),  # 1 x 160
            nn.BatchNorm2d(channels),
            nn.ReLU(True),
            Along(channels, 1),
            Along(channels, 2),
        )
        self.scores = nn.Conv2d(channels, len(SYMBOLS) + 1, 1)

    def forward(self, x):
        return self.scores(self.features(x)).squeeze(2).permute(0, 2, 1)


def decode(scores):
    """The text of the likeliest path of each line."""
    texts = []
    for row in scores.argmax(-1).tolist():
        changed = [c for before, c in zip([0] + row, row) if c and c != before]
        texts.append("".join(SYMBOLS[c - 1] for c in changed))
    return texts
