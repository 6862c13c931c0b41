"""Plots and pictures made up for benchmarks: the same number gives the same bytes in every run."""

from __future__ import annotations

import io
import random
import struct
import uuid
from functools import cache
from pathlib import Path

from PIL import Image

from forms.compile import Compiled, compile_form
from server.demo.instance import Renderer
from server.demo.multipart import bodies

SPECIES = ("pita", "plor", "qumo", "rops")
CROWNS = ("dominant", "codominant", "intermediate", "suppressed")
STATES = ("alive",) * 17 + ("dead_standing", "dead_down", "missing")
NO_LIMIT_BYTES = 100_000_000


@cache
def form() -> Compiled:
    """The form whose questions bear our names and carry no tag."""
    return compile_form(Path(__file__).parent / "forest_plot.md")


@cache
def _renderer() -> Renderer:
    return Renderer(form().form)


def instance(number: int, trees: int = 50, photo_name: str = "") -> bytes:
    """One plot with its trees; about 8.6 kB with 50."""
    dice = random.Random(number)
    letters = "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=2))
    plot = {
        "plot_id": f"{letters}-{dice.randrange(10_000):04d}", "slope_pct": f"{dice.uniform(0, 90):.1f}",
        "canopy_pct": str(dice.randrange(101)),
    }  # fmt: skip
    day = dice.randrange(1, 10)
    visit = {
        "started_at": f"2026-06-0{day}T08:{dice.randrange(60):02d}:11.000+08:00",
        "ended_at": f"2026-06-0{day}T10:{dice.randrange(60):02d}:42.000+08:00",
        "crew": f"Crew {dice.randrange(1, 41)}",
        "position": _fix(dice),
        "disturbance": dice.choice(("none", "wind", "fire wind", "insects")),
        "note": f"Plot measured again; tags {_first(number)} to {_first(number) + trees - 1} compared with 2021.",
    }
    if photo_name:
        visit["photo"] = photo_name
    rows = {"plot": [plot], "visit": [visit], "tree": [_tree(dice, _first(number) + k) for k in range(trees)]}
    named = {"deviceid": f"collect:{dice.getrandbits(64):016x}", "n_trees": str(trees)}
    identity = f"uuid:{uuid.UUID(int=dice.getrandbits(128), version=4)}"
    return _renderer().render(
        rows, identity, named=named, instance_name=f"{plot['plot_id']} / {visit['crew']}"
    )


def _fix(dice: random.Random) -> str:
    lat, lon, altitude_m = dice.uniform(35.9, 36.4), dice.uniform(113.2, 113.7), dice.uniform(600, 1700)
    return f"{lat:.7f} {lon:.7f} {altitude_m:.1f} 4.2"


def _first(number: int) -> int:
    return number % 1000 * 100 + 1


def _tree(dice: random.Random, tag: int) -> dict[str, str]:
    dbh = min(350.0, 5 + dice.expovariate(1 / 22))
    return {
        "tag": str(tag), "species": dice.choice(SPECIES), "dbh_cm": f"{dbh:.1f}",
        "height_m": f"{1.4 + 2.1 * dbh**0.72:.1f}", "tally_code": dice.choice(STATES),
        "crown_class": dice.choice(CROWNS),
    }  # fmt: skip


def envelope(xml: bytes) -> bytes:
    """The multipart body of one request that carries an instance alone."""
    return bodies(xml, {}, NO_LIMIT_BYTES)[0].content


def body(number: int, trees: int = 50, photo_bytes: int = 0) -> bytes:
    """The multipart body of one request: the plot, and a picture of that many bytes where it is not 0."""
    if not photo_bytes:
        return envelope(instance(number, trees))
    name = f"plot_{number}.jpg"
    files = {name: photo(number, photo_bytes)}
    return bodies(instance(number, trees, name), files, NO_LIMIT_BYTES)[0].content


def photo(number: int, size_bytes: int = 300_000) -> bytes:
    """A real picture of exactly that size, different for each number: comments make up what is missing."""
    start, rest = _picture()[:2], _picture()[2:]
    label = _comment(f"{number:>32}".encode())
    missing = size_bytes - len(start) - len(label) - len(rest)
    if missing < 4:
        raise ValueError(f"{size_bytes} bytes are too few for this picture")
    filler = []
    while missing:
        # no piece may leave less than a comment's own head for the next
        piece = min(missing, 65_000) if missing <= 65_000 or missing > 65_004 else 64_000
        filler.append(_comment(b" " * (piece - 4)))
        missing -= piece
    return start + label + b"".join(filler) + rest


def _comment(text: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text


@cache
def _picture() -> bytes:
    """1024 x 768 pixels of blurred noise, about 290 kB: as hard to decode as leaves and bark."""
    dice = random.Random(7)
    small = Image.frombytes("RGB", (512, 384), dice.randbytes(512 * 384 * 3))
    buffer = io.BytesIO()
    small.resize((1024, 768), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()
