"""Makes the pictures beside it: make.py (needs Pillow with OpenJPEG and WebP).

Each is 48 x 32: red, green above blue, white, so that a turn, a mirror or swapped channels show.
"""

from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250)
ORIENTATION = 0x0112
# How the stored picture must be turned so that EXIF orientation n shows it upright.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright():
    image = Image.new("RGB", (48, 32), RED)
    image.paste(GREEN, (24, 0, 48, 16))
    image.paste(BLUE, (0, 16, 24, 32))
    image.paste(WHITE, (24, 16, 48, 32))
    return image


def main():
    image = upright()
    image.save("colour.png")
    image.save("colour.jpg", quality=95, subsampling=0)
    image.save("colour.webp", lossless=True)
    image.save("colour.jp2")
    image.save("colour.j2k", no_jp2=True)
    image.save("lossy.jp2", irreversible=True, quality_mode="rates", quality_layers=[8])
    image.convert("L").save("grey.png")
    image.convert("L").save("grey.jpg", quality=95)
    image.convert("L").save("grey.jp2")
    image.convert("RGBA").save("alpha.png")
    image.convert("RGBA").save("alpha.jp2")
    image.convert("P", palette=Image.Palette.ADAPTIVE).save("palette.png")
    image.quantize(4).convert("RGB").save("progressive.jpg", quality=95, progressive=True)
    for orientation, turn in STORED.items():
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.transpose(turn).save(f"exif{orientation}.jpg", quality=95, subsampling=0, exif=exif)


if __name__ == "__main__":
    main()
