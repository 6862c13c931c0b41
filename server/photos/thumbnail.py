"""A small copy of a photo for the screen: upright, without the camera's notes, bounded in work.

The size that the file claims is looked at before anything is decoded. The original is never touched.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import pi_heif
from PIL import Image, UnidentifiedImageError

from server.photos.likeness import likeness

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
"""Decoders that bytes from outside may reach."""
JPEG_QUALITY = 78
"""Of the thumbnail: bark stays legible at 320 px in 10 to 20 KB."""

pi_heif.register_heif_opener()
# Pillow only warns up to twice its limit
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

Unfit = Literal["not-a-picture", "too-many-pixels", "damaged"]


class PhotoUnreadable(ValueError):
    """No picture can be made of this file. `reason` is a word for people to be told by, `detail` for the
    log."""

    def __init__(self, reason: Unfit, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Unfit = reason
        self.detail = detail


class Size(NamedTuple):
    """Of a picture as a person sees it, in pixels: after the turn that its orientation asks for."""

    width_px: int
    height_px: int


class Small(NamedTuple):
    """A small copy, and what it was made from. `likeness`: see `server.photos.likeness`."""

    size: Size
    likeness: str | None


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings an EXIF orientation (CIPA DC-008, tag 0x0112) upright; 1 is upright already."""


def make_thumbnail(
    source: Path, target_file: Path | BinaryIO, max_px: int = 320, max_pixels: int = 120_000_000
) -> Small:
    """Write a JPEG of at most `max_px` on its longer side to `target_file`; give the size and likeness of the original.

    `max_pixels` bounds width times height of the original; nothing larger is decoded. A picture smaller
    than `max_px` keeps its size. Raises PhotoUnreadable where the file is not a JPEG, PNG, WebP or HEIC
    picture, is cut off, or claims too many pixels; OSError only where the file cannot be opened or written.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    with source.open("rb") as file:
        small, size = _shrink(file, max_px, max_pixels)
    small.save(target_file, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return Small(size, likeness(small))


def _shrink(file: BinaryIO, max_px: int, max_pixels: int) -> tuple[Image.Image, Size]:
    try:
        with Image.open(file, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise PhotoUnreadable("too-many-pixels", f"{width} × {height}, at most {max_pixels}")
            picture.draft("RGB", (max_px, max_px))  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
            small = _eight_bits(picture)
            small.thumbnail((max_px, max_px))
            orientation = _orientation(picture)
            return _upright(small.convert("RGB"), orientation), _seen(width, height, orientation)
    except PhotoUnreadable:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PhotoUnreadable("too-many-pixels", str(error)) from error
    except UnidentifiedImageError as error:
        raise PhotoUnreadable("not-a-picture") from error
    except Exception as error:  # decoders raise anything from SyntaxError to struct.error on broken bytes
        raise PhotoUnreadable("damaged", f"{type(error).__name__}: {error}") from error


def _eight_bits(picture: Image.Image) -> Image.Image:
    """The picture, or for one of 16 bits of grey (a scan) its upper eight: Pillow scales down nothing else."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(0x0112, 1))
    except Exception:  # a picture with broken EXIF is still a picture
        return 1


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    clean = Image.new("RGB", picture.size)  # a new picture has none of the camera's notes
    clean.paste(picture)
    return clean if turn is None else clean.transpose(turn)


def _seen(width: int, height: int, orientation: int) -> Size:
    return Size(height, width) if orientation in {5, 6, 7, 8} else Size(width, height)
