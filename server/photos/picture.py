"""Draws a made-up field photo: bark, a tape, and words that say what it stands for.

For the demo county and for load tests. The same shot gives the same bytes on the same version of Pillow. It
says "simulated" across its corner, and it has the EXIF of a phone, so that the way of a photo through the
house is the way that a real one takes.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

WIDTH_PX, HEIGHT_PX = 1280, 960
JPEG_QUALITY = 55
"""Gives 60 to 150 KB: what ODK Collect sends when a form asks for pictures of about a megapixel."""
TEXTURES = 4
"""Different barks. Making one takes 30 ms, so they are made once."""

_BARKS = (("#2e2119", "#b08d6a"), ("#3a332c", "#c2b5a1"), ("#31281c", "#a3865b"), ("#27221e", "#93806c"))
_TAPE, _INK, _PAPER = "#f2c230", "#1b1b1b", "#f7f4ea"


@dataclass(frozen=True, slots=True)
class Shot:
    """One press of the button. `taken_at` carries its offset; `lat` and `lon` are degrees WGS 84 or both
    None."""

    seed: int
    words: tuple[str, ...]  # lines on the slate: plot, tag, day
    taken_at: datetime
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    tape_cm: float | None = None  # what the tape shows; None: no tape in the picture
    make: str = "Simulated"
    model: str = "Yangdi demo phone"


def draw(shot: Shot) -> bytes:
    """The JPEG of a shot, 1280 × 960, with its EXIF."""
    luck = random.Random(shot.seed)
    picture = _another_stem(_bark(shot.seed % TEXTURES), luck)
    pen = ImageDraw.Draw(picture)
    if shot.tape_cm is not None:
        _draw_tape(pen, shot.tape_cm, 430 + luck.randrange(-60, 60))
    _draw_slate(pen, shot.words, luck)
    pen.text((WIDTH_PX - 16, HEIGHT_PX - 12), "simulated", font=_font(26), fill=_PAPER, anchor="rs")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY, exif=_exif(shot))
    return file.getvalue()


def _another_stem(bark: Image.Image, luck: random.Random) -> Image.Image:
    """The same kind of bark elsewhere: two photos must not look alike because their textures do."""
    moved = ImageChops.offset(bark, luck.randrange(WIDTH_PX), luck.randrange(HEIGHT_PX))
    if luck.random() < 0.5:
        moved = ImageOps.mirror(moved)
    light = ImageOps.colorize(_noise(luck, 5, 4), "#707070", "#ffffff")  # sun between the leaves
    return ImageChops.multiply(moved, light)


@cache
def _bark(number: int) -> Image.Image:
    """Ridges that run up the stem: noise, stretched, over finer noise."""
    luck = random.Random(number)
    ridges = _noise(luck, 96, 14)
    plates = _noise(luck, 220, 60)
    grain = _noise(luck, 640, 480)
    grey = Image.blend(Image.blend(ridges, plates, 0.4), grain, 0.15)
    dark, light = _BARKS[number % len(_BARKS)]
    return ImageOps.colorize(ImageOps.autocontrast(grey, cutoff=1), dark, light)


def _noise(luck: random.Random, columns: int, rows: int) -> Image.Image:
    field = Image.frombytes("L", (columns, rows), luck.randbytes(columns * rows))
    return field.resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC)


def _draw_tape(pen: ImageDraw.ImageDraw, value_cm: float, top: int) -> None:
    """A diameter tape across the stem, with the value under the mark in the middle."""
    px_cm, height, middle = 46, 92, WIDTH_PX // 2
    pen.rectangle((0, top, WIDTH_PX, top + height), fill=_TAPE)
    first_mm = int(value_cm * 10) - 140
    for step in range(281):
        at_mm = first_mm + step
        x = middle + (at_mm / 10 - value_cm) * px_cm
        if at_mm < 0 or not 0 <= x <= WIDTH_PX:
            continue
        length = 44 if at_mm % 10 == 0 else 30 if at_mm % 5 == 0 else 18
        pen.line((x, top, x, top + length), fill=_INK, width=2)
        if at_mm % 10 == 0:
            pen.text((x, top + height - 6), str(at_mm // 10), font=_font(30), fill=_INK, anchor="ms")
    pen.line((middle, top - 26, middle, top + height), fill="#c0262d", width=4)


def _draw_slate(pen: ImageDraw.ImageDraw, words: tuple[str, ...], luck: random.Random) -> None:
    left, top, line = 40 + luck.randrange(60), 40 + luck.randrange(40), 46
    width = 36 + max((int(_font(36).getlength(text)) for text in words), default=0)
    pen.rectangle((left, top, left + width, top + line * len(words) + 24), fill=_PAPER, outline=_INK, width=3)
    for row, text in enumerate(words):
        pen.text((left + 18, top + 10 + row * line), text, font=_font(36), fill=_INK)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _exif(shot: Shot) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = shot.make, shot.model, "yangdi simulate"
    taken = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    zone = shot.taken_at.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:5]}" if zone else ""
    exif[0x0132] = taken
    exif.get_ifd(0x8769).update({0x9003: taken, 0x9004: taken})
    if zone:
        exif.get_ifd(0x8769).update({0x9010: zone, 0x9011: zone, 0x9012: zone})
    if shot.lat is not None and shot.lon is not None:
        exif.get_ifd(0x8825).update(
            {1: "NS"[shot.lat < 0], 2: _dms(shot.lat), 3: "EW"[shot.lon < 0], 4: _dms(shot.lon)}
        )
        if shot.accuracy_m is not None:
            exif.get_ifd(0x8825)[0x1F] = shot.accuracy_m
    return exif


def _dms(degrees: float) -> tuple[float, float, float]:
    whole_minutes, seconds = divmod(round(abs(degrees) * 3600, 4), 60)
    return float(whole_minutes // 60), float(whole_minutes % 60), round(seconds, 4)
