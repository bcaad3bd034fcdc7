"""What lies over the characters of a line: strokes and spots, dark or light. A recogniser that never
saw half a letter is sure of the one that it looks like."""
import cv2


def covered(picture, rng, place, pitch):
    """Draws one thing about a place, columns and rows, into a picture of values up to `picture.max()`;
    `pitch` pixels are a character."""
    tone = rng.random() * float(picture.max())
    near = lambda spread: [int(at + rng.gauss(0, spread) * pitch) for at in place]
    if rng.random() < 0.6:
        cv2.line(picture, near(0.5), near(2.0), tone, max(1, int(rng.uniform(0.06, 0.6) * pitch)))
    else:
        axes = [max(1, int(rng.uniform(0.1, 0.8) * pitch)) for _ in range(2)]
        cv2.ellipse(picture, near(0.5), axes, rng.uniform(0, 180), 0, 360, tone, -1)
