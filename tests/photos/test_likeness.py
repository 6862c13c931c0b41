"""A picture is known again after it was scaled and stored anew; pictures of different stems are not mixed up."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from server.forest.likeness import BANDS_ALIKE, BITS_ALIKE, bands, bits_apart
from server.photos.likeness import likeness
from server.photos.picture import Shot, draw


def stem(seed: int) -> Image.Image:
    shot = Shot(
        seed, (f"PS-{seed:04d}", "2026-08-11 09:12"), datetime(2026, 8, 11, 9, tzinfo=UTC), tape_cm=23.4
    )
    return Image.open(io.BytesIO(draw(shot)))


def stored_again(picture: Image.Image) -> Image.Image:
    """Smaller, a little lighter, at a poor quality, as a messenger does it."""
    target = io.BytesIO()
    ImageEnhance.Brightness(picture.convert("RGB").resize((720, 540))).enhance(1.08).save(
        target, "JPEG", quality=35
    )
    return Image.open(target)


def test_a_picture_stored_again_is_known_again() -> None:
    for seed in range(12):
        once, again = likeness(stem(seed)), likeness(stored_again(stem(seed)))
        assert once is not None
        assert again is not None
        assert bits_apart(once, again) <= BITS_ALIKE


def test_pictures_of_other_stems_are_others() -> None:
    found = [likeness(stem(seed)) for seed in range(24)]
    assert min(bits_apart(one or "", other or "") for one, other in combinations(found, 2)) > BITS_ALIKE


def test_a_lens_cap_is_like_nothing() -> None:
    assert likeness(Image.new("RGB", (640, 480), (12, 12, 14))) is None
    assert likeness(Image.linear_gradient("L").resize((640, 480))) is None
    assert bands(None) == []


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=BITS_ALIKE))
def test_what_differs_in_six_bits_is_found_by_two_bands(bits: int, flipped: set[int]) -> None:
    other = bits
    for place in flipped:
        other ^= 1 << place
    one, two = f"{bits:016x}", f"{other:016x}"
    assert bits_apart(one, two) == len(flipped)
    assert len(set(bands(one)) & set(bands(two))) >= BANDS_ALIKE
