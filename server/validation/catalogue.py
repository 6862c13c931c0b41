"""Everything that the rules have to say about a visit, most suspicious first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from server.forest.species import SpeciesInfo
from server.forest.visit import Visit
from server.validation import growth, height, history, plot, slips, tag, tree
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from server.validation.rule import STARRED, Rule, rules
from server.validation.scene import Crowd, Scene, scene_of
from server.validation.stake import weighed_flag

__all__ = ["Reference", "Rule", "flags_of", "quick_look", "rules"]

_Look = Callable[[Scene], Iterator[Flag]]

_TREE: tuple[_Look, ...] = (
    tree.diameter_flags, tag.tag_flags, tree.size_flags, tag.numbering_flags, tree.species_flags,
    tree.position_flags, tree.pom_flags, slips.outlier_flags, height.height_flags,
    height.curve_flags, height.few_heights_flags,
)  # fmt: skip
_PAIRS: tuple[_Look, ...] = (
    growth.growth_flags, history.fate_flags, history.vanished_flags, history.species_change_flags,
    history.newcomer_flags, history.place_flags, history.pom_change_flags, height.height_change_flags,
)  # fmt: skip
_VISIT: tuple[_Look, ...] = (
    plot.girth_flags, plot.reading_flags, plot.copied_flags, plot.code_flags, plot.rate_flags,
    plot.thinning_flags, plot.stem_flags,
)  # fmt: skip
LOOKS = _TREE + _PAIRS + _VISIT
"""Everything that looks at the trees of a visit, by its name."""
_QUICK: tuple[_Look, ...] = (
    tree.diameter_flags, tag.tag_flags, slips.outlier_flags, height.height_flags, growth.growth_flags,
    history.fate_flags, history.vanished_flags,
)  # fmt: skip

_WRONG_DIAMETER = frozenset({"T03", "T05", "X01", "X04"})
_DIAMETERS = _WRONG_DIAMETER | {"T06", "X03", "X05", "X13"}
_SHAPES = frozenset({"H02", "H03", "H04"})


def flags_of(
    now: Visit,
    before: Visit | None,
    *,
    earlier: Sequence[Visit] = (),
    reference: Reference | None = None,
    parameters: Parameters,
    species: Mapping[str, SpeciesInfo] | None = None,
    only: Collection[str] | None = None,
    crowd: Crowd | None = None,
) -> list[Flag]:
    """What is odd about `now`, most suspicious first; the same input gives the same flags in the same order.

    `before` is the visit of the census before (None: rules across censuses stay silent), `earlier` are those
    before it, the latest first. `reference` says what accepted trees reach, `species` which codes exist (None: any).
    `only` names the looks to ask, where others are known to have nothing to say (`sieve`);
    `crowd` comes with visits that hold only the trees that these looks need.
    """
    scene = scene_of(now, before, earlier, reference, parameters, species, crowd)
    looks = LOOKS if before is not None else _TREE + _VISIT
    if only is not None:
        looks = tuple(look for look in looks if look.__name__ in only)
    return _ranked(scene, looks, parameters.off)


def quick_look(now: Visit, before: Visit | None, parameters: Parameters) -> list[Flag]:
    """The errors and warns on single trees that a crew is told at once, in the receipt, most suspicious first."""
    scene = scene_of(now, before, (), None, parameters, None)
    return [
        flag
        for flag in _ranked(scene, _QUICK, parameters.off)
        if flag.severity is not Severity.INFO and flag.rule != "X02"
    ]


def _ranked(scene: Scene, looks: Iterable[_Look], off: frozenset[str]) -> list[Flag]:
    found = [flag for look in looks for flag in look(scene)]
    if not found:
        return found
    if off:
        found = [flag for flag in found if flag.rule not in off]
    found = _one_doubt_a_tree(found)
    verified = {tree.ordinal for tree in scene.now.trees if tree.verified}
    if verified:
        found = [_lowered(flag) if flag.ordinal in verified else flag for flag in found]
    return sorted((weighed_flag(scene, flag) for flag in found), key=_rank)


def _one_doubt_a_tree(found: list[Flag]) -> list[Flag]:
    """A height is not odd beside a diameter that is likelier wrong itself; nor twice."""
    wrong = {flag.ordinal: 1.0 if flag.rule in _WRONG_DIAMETER else flag.score
             for flag in reversed(found) if flag.rule in _DIAMETERS}  # fmt: skip
    if wrong:
        found = [f for f in found if f.rule not in _SHAPES or f.score > wrong.get(f.ordinal, -1.0)]
    curve = {flag.ordinal for flag in found if flag.rule in {"H03", "H04"}}
    return [flag for flag in found if flag.rule != "H02" or flag.ordinal not in curve] if curve else found


def _lowered(flag: Flag) -> Flag:
    """A flag on a value that the crew measured again and stands by."""
    if flag.severity is Severity.WARN:
        return flag._replace(severity=Severity.INFO, score=flag.score / 4)
    if flag.severity is Severity.ERROR and flag.rule in STARRED:
        return flag._replace(severity=Severity.WARN, score=flag.score / 2)
    return flag


def _rank(flag: Flag) -> tuple[float, str, str, str, int, str]:
    ordinal = -1 if flag.ordinal is None else flag.ordinal
    return (-flag.score, flag.tag, flag.stem_id, flag.rule, ordinal, flag.field + flag.value)
