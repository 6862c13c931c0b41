"""How well copied plots, shifted datums and wrong photos are found: python -m tests.bench.blocks_places [seeds].

Copied plots are pasted between real plots of the reference data; fixes and photos are made up around plans inside
China, with the errors that phones have. Each line says how many were found, and how many honest ones were called wrong.
"""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from math import cos, pi, radians, sin
from time import process_time

from PIL import Image, ImageEnhance

from server.cli.tree_table import read_trees
from server.forest.likeness import BITS_ALIKE, bits_apart
from server.forest.position import M_PER_DEG, Point
from server.forest.visit import Visit
from server.photos.likeness import likeness
from server.photos.picture import Shot, draw
from server.validation.copied import Cell, Resembling, cells, copied_flags, grams, worth_a_look
from server.validation.datum import BD09, GCJ02, shifted
from server.validation.flag import Severity
from server.validation.parameters import Parameters
from server.validation.photo_rules import Album, Photo, photo_flags
from server.validation.place import Fix, Place, place_flags
from tests.validation.harness import DATA

LIMITS = Parameters.default().limits
LEAST_TREES = 10
"""Trees of a plot that is worth copying: from 200 to 300 a hectare on."""
SESSION_MS = 3 * 3_600_000


def main(seeds: int = 3) -> None:
    """Print every block."""
    for name, tallies in _tables():
        copied(name, tallies, seeds)
    datums(seeds)
    photos_late_and_far(seeds)
    photos_again()


# -- copied plots -------------------------------------------------------------------------------------------------


Tally = tuple[str, list[Cell]]  # plot, its trees


def _tables() -> Iterator[tuple[str, list[Tally]]]:
    for file in ("scbi.csv", "fia_ri.csv"):
        path = DATA / file
        if not path.exists():
            print(f"copied plots: {file} is not here")
            continue
        censuses = read_trees(path).censuses
        if file == "scbi.csv":
            for census, visits in censuses.items():
                yield f"{path.stem} census {census}", _tallies(visits.values())
        else:
            newest = {
                visit.plot_id: visit for census in sorted(censuses) for visit in censuses[census].values()
            }
            yield path.stem, _tallies(newest.values())


def _tallies(visits: Iterable[Visit]) -> list[Tally]:
    found = []
    for visit in visits:
        trees = [tree for tree in visit.trees if tree.dbh_cm and tree.dbh_cm >= LIMITS.t02_min_cm]
        found.append((visit.plot_id, cells(trees)))
    return [(plot, tally) for plot, tally in found if len(tally) >= LEAST_TREES]


def copied(name: str, tallies: Sequence[Tally], seeds: int) -> None:
    """Plot A pasted into B with 0 to 3 edits; and every pair of honest plots that the index names."""
    start = process_time()
    wrong = _called_copies(tallies)
    spent_ms = 1000 * (process_time() - start) / max(len(tallies), 1)
    print(f"copied plots, {name}: {len(tallies)} plots, {1000 * len(wrong) / max(len(tallies), 1):.1f} false in 1000, "
          f"{spent_ms:.2f} ms a plot")  # fmt: skip
    for edits in range(4):
        hits = tries = 0
        for seed in range(seeds):
            luck = random.Random(seed)
            for _, tally in luck.sample(list(tallies), min(200, len(tallies))):
                pasted = _edited(tally, edits, luck)
                tries += 1
                hits += worth_a_look(len(grams(pasted) & grams(tally)), len(pasted)) and _is_flagged(
                    pasted, tally
                )
        print(f"  {edits} edits: recall {hits / max(tries, 1):.3f} of {tries}")


def _called_copies(tallies: Sequence[Tally]) -> set[str]:
    """Honest plots that would be called copies: the index names pairs, as the store's does."""
    index: dict[int, list[int]] = {}
    shared: dict[tuple[int, int], int] = {}
    for place, (_, tally) in enumerate(tallies):
        for gram in grams(tally):
            for other in index.setdefault(gram, []):
                shared[other, place] = shared.get((other, place), 0) + 1
            index[gram].append(place)
    return {
        tallies[later][0]
        for (earlier, later), grams_shared in shared.items()
        if worth_a_look(grams_shared, len(tallies[later][1]))
        and tallies[earlier][0] != tallies[later][0]
        and _is_flagged(tallies[later][1], tallies[earlier][1])
    }


def _is_flagged(tally: Sequence[Cell], other: Sequence[Cell]) -> bool:
    return any(copied_flags(tally, [Resembling("", "", other)], LIMITS))


def _edited(tally: Sequence[Cell], edits: int, luck: random.Random) -> list[Cell]:
    found = list(tally)
    for at in luck.sample(range(len(found)), edits):
        species, mm = found[at]
        found[at] = (species, max(10, mm + luck.choice([-1, 1]) * luck.randint(1, 40)))
    return found


# -- positions ----------------------------------------------------------------------------------------------------


def _plan(luck: random.Random) -> Point:
    """Somewhere between Yunnan and the Amur."""
    return Point(luck.uniform(22, 50), luck.uniform(98, 130))


def _off(point: Point, away_m: float, luck: random.Random) -> Point:
    turn = luck.uniform(0, 2 * pi)
    lon = point.lon + away_m * sin(turn) / (M_PER_DEG * cos(radians(point.lat)))
    return Point(point.lat + away_m * cos(turn) / M_PER_DEG, lon)


def _phone_fix(plan: Point, luck: random.Random) -> Fix:
    """As a phone gives it under trees: the error is of the order of what it says of itself."""
    accuracy_m = luck.uniform(3, 12)
    return Fix(_off(plan, abs(luck.gauss(0, accuracy_m)), luck), round(accuracy_m, 1))


def datums(seeds: int, plots: int = 1000) -> None:
    """Fixes in GCJ-02 and BD-09, honest fixes, and plots that were really missed by some hundred metres."""
    luck = random.Random(seeds)
    right = {GCJ02: 0, BD09: 0}
    honest = missed = 0
    for _ in range(plots):
        plan = _plan(luck)
        fix = _phone_fix(plan, luck)
        for datum in right:
            right[datum] += _datum(plan, Fix(shifted(fix.point, datum), fix.accuracy_m)) == datum
        honest += any(
            flag.severity is not Severity.INFO for flag in place_flags(Place(design=plan, fix=fix), LIMITS)
        )
        away = Fix(_off(plan, luck.uniform(100, 1500), luck), fix.accuracy_m)
        missed += _datum(plan, away) is not None
    for datum, hits in right.items():
        print(f"datum {datum}: recall {hits / plots:.3f} of {plots}")
    print(f"datum: {1000 * honest / plots:.1f} in 1000 honest fixes called away or worse, "
          f"{1000 * missed / plots:.1f} in 1000 plots missed by 100 to 1500 m called a datum")  # fmt: skip


def _datum(plan: Point, fix: Fix) -> object:
    found = [flag for flag in place_flags(Place(design=plan, fix=fix), LIMITS) if flag.rule == "P02"]
    return found[0].facts["datum"] if found else None


# -- photos -------------------------------------------------------------------------------------------------------


def photos_late_and_far(seeds: int, photos: int = 1000) -> None:
    """Photos taken in the visit and the plot; more than half an hour off; more than 50 m off."""
    luck = random.Random(seeds)
    counts = {"honest": 0, "late": 0, "far": 0, "on UTC": 0}
    for _ in range(photos):
        start = 1_780_272_000_000 + luck.randrange(0, 3 * 3_600_000)
        plan = _plan(luck)
        place = Place(design=plan, fix=_phone_fix(plan, luck), started_at=start, ended_at=start + SESSION_MS)
        good = Photo("1.jpg", _camera(start + luck.randrange(SESSION_MS)), None, _off(plan, luck.uniform(0, 25), luck),
                     luck.uniform(3, 12), "X", "Y")  # fmt: skip
        late_ms = luck.randrange(45, 6 * 60) * 60_000
        late = good._replace(
            taken_at=_camera(start - late_ms if luck.random() < 0.5 else start + SESSION_MS + late_ms)
        )
        far = good._replace(point=_off(plan, luck.uniform(90, 5000), luck))
        zone = good._replace(taken_at=_camera(start + luck.randrange(SESSION_MS), zone_h=0))
        for name, photo in (("honest", good), ("late", late), ("far", far), ("on UTC", zone)):
            others = [] if name == "on UTC" else [good]
            counts[name] += _is_odd([photo, *others], place)
    print(f"photos: {1000 * counts['honest'] / photos:.1f} false in 1000 honest, "
          f"{1000 * counts['on UTC'] / photos:.1f} in 1000 of a camera on UTC")  # fmt: skip
    for name in ("late", "far"):
        print(f"photos {name}: recall {counts[name] / photos:.3f} of {photos}")


def _camera(at: int, zone_h: int = 8) -> str:
    return datetime.fromtimestamp(at / 1000 + zone_h * 3600, UTC).replace(tzinfo=None).isoformat()


def _is_odd(photos: Sequence[Photo], place: Place) -> bool:
    found = photo_flags(Album(photos, 5), place, LIMITS)
    return any(flag.rule in {"F01", "F02"} and flag.severity is not Severity.INFO for flag in found)


def photos_again(photos: int = 60) -> None:
    """Photos stored again, smaller and at a poor quality; and photos of other stems."""
    shots = [Image.open(io.BytesIO(draw(Shot(seed, (f"P-{seed}",), datetime(2026, 6, 1, 9, tzinfo=UTC)))))
             for seed in range(photos)]  # fmt: skip
    once, again = [likeness(shot) for shot in shots], [likeness(_stored_again(shot)) for shot in shots]
    hits = sum(
        bool(a and b) and bits_apart(a or "", b or "") <= BITS_ALIKE for a, b in zip(once, again, strict=True)
    )
    pairs = list(combinations([one for one in once if one], 2))
    wrong = sum(bits_apart(a, b) <= BITS_ALIKE for a, b in pairs)
    print(
        f"photos used again: recall {hits / photos:.3f} of {photos}; {wrong} of {len(pairs)} pairs of others alike"
    )


def _stored_again(shot: Image.Image) -> Image.Image:
    target = io.BytesIO()
    ImageEnhance.Brightness(shot.convert("RGB").resize((720, 540))).enhance(1.08).save(
        target, "JPEG", quality=35
    )
    return Image.open(target)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
