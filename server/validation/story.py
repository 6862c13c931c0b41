"""The whole story of one diameter in plain sentences: its censuses, what was to be expected, what may have happened,
its neighbours, and which rules looked and why they spoke or did not."""

# a sentence is easier to read, to translate and to search for in one piece
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from server.forest.species import SpeciesInfo
from server.forest.tree import Measurement
from server.forest.visit import Visit
from server.validation.catalogue import flags_of
from server.validation.flag import Flag, message
from server.validation.growth import Doubt, doubt_of
from server.validation.hypotheses import Verdict
from server.validation.parameters import Parameters
from server.validation.reference import Reference
from server.validation.rule import RULES
from server.validation.scene import Key, Scene, scene_of
from server.validation.screen import bounds_cm
from server.validation.slips import Stands, first_of, verdict_of

STORIES: dict[str, tuple[str, str]] = {
    "honest": ("值是对的", "the value is right"),
    "last": ("上期的值有误", "last time's value is wrong"),
    "tens": ("十位数错", "tens digit wrong"),
    "decimal": ("小数点错位", "decimal point moved"),
    "digit": ("一位数字错", "one digit wrong"),
    "transposed": ("两位数字颠倒", "two digits exchanged"),
    "dropped": ("漏了一位数字", "a digit left out"),
    "added": ("多了一位数字", "a digit too many"),
    "girth": ("把围径当胸径", "girth as diameter"),
    "inch": ("读了英寸", "read in inches"),
    "swap": ("与别的样木互换", "exchanged with another tree"),
    "stem": ("量了别的样木", "another tree was measured"),
    "pom": ("围尺位置变了", "tape at another height"),
    "guess": ("目测估计", "guessed by eye"),
    "other": ("别的错误", "another error"),
}
"""What the kinds of hypotheses are called, zh and en."""


def kind_name(kind: str, locale: str) -> str:
    """What a kind of hypothesis is called; an unknown one is shown as it is."""
    return STORIES.get(kind, (kind, kind))[0 if locale.startswith("zh") else 1]


_TEXTS: dict[str, tuple[str, str]] = {
    "head": (
        "样地 {plot}，样木 {tag}，{species}，{census} 期",
        "Plot {plot}, tree {tag}, {species}, census {census}",
    ),
    "was": ("  {census} 期（{on}）：{dbh} cm", "  census {census} ({on}): {dbh} cm"),
    "absent": ("  {census} 期（{on}）：没有记录", "  census {census} ({on}): no row"),
    "band": (
        "预计 {expected} cm（常见 {low}–{high} cm）：每年 {rate} cm，依据 {trees} 株，{years} 年；参考版本 {version}",
        "Expected {expected} cm (usually {low}–{high} cm): {rate} cm a year, resting on {trees} trees, over {years} years; bands {version}",
    ),
    "screen": (
        "{low}–{high} cm 之内只在笔误能解释时提问；这里是 {dbh} cm。",
        "Between {low} and {high} cm a value is asked about only where a slip explains it; here it is {dbh} cm.",
    ),
    "first": (
        "没有上期数据：与样地内同类 {trees} 株和树高比较。",
        "No diameter before: beside {trees} trees of the plot and its own height.",
    ),
    "alone": (
        "没有上期数据，样地内的树又太少，无从比较。",
        "No diameter before, and too few trees here to compare with.",
    ),
    "none": ("没有胸径，无从比较。", "There is no diameter to compare."),
    "wrong": ("这个值有误的概率：{chance}", "Probability that this value is wrong: {chance}"),
    "story": ("  {chance}  {kind}{meant}", "  {chance}  {kind}{meant}"),
    "neighbours": ("样地内的邻近样木（上期 → 本期，cm）：", "Its neighbours in the list (last → now, cm):"),
    "spoke": ("提出疑点的规则：", "Rules that spoke:"),
    "silent": ("看过而没有疑点的规则：{rules}", "Rules that looked and had nothing to say: {rules}"),
}


def story_of(
    now: Visit, before: Visit | None, key: Key, locale: str, *, earlier: Sequence[Visit] = (),
    reference: Reference | None = None, parameters: Parameters, species: Mapping[str, SpeciesInfo] | None = None,
) -> Iterator[str]:  # fmt: skip
    """Lines of the story of the tree with this tag and stem, in "zh" or (anything else) "en". KeyError: not here."""
    scene = scene_of(now, before, earlier, reference, parameters, species)
    tree = scene.mine[key]
    yield _say(
        "head", locale, plot=now.plot_id, tag=_tag(key), species=tree.species or "–", census=now.census
    )
    for visit in reversed([now, *([before] if before else []), *earlier]):
        yield _census(visit, key, locale)
    yield from _judgement(scene, tree, locale)
    yield from _neighbours(scene, key, locale)
    flags = flags_of(
        now, before, earlier=earlier, reference=reference, parameters=parameters, species=species
    )
    yield from _rules(scene, [flag for flag in flags if (flag.tag, flag.stem_id) == key], parameters, locale)


def _say(name: str, locale: str, **values: object) -> str:
    return _TEXTS[name][0 if locale.startswith("zh") else 1].format(**values)


def _tag(key: Key) -> str:
    return key[0] if key[1] in {"", "1"} else "-".join(key)


def _census(visit: Visit, key: Key, locale: str) -> str:
    tree = visit.by_key().get(key)
    on = visit.measured_on or "–"
    if tree is None:
        return _say("absent", locale, census=visit.census, on=on)
    return _say(
        "was", locale, census=visit.census, on=on, dbh="–" if tree.dbh_cm is None else f"{tree.dbh_cm:g}"
    )


def _judgement(scene: Scene, tree: Measurement, locale: str) -> Iterator[str]:
    doubt = doubt_of(scene, tree.key)
    if doubt is not None:
        yield from _grown(scene, doubt, locale)
    elif tree not in scene.sized:
        yield _say("none", locale)
    elif len(scene.sized) <= scene.limits.t05_min_trees:
        yield _say("alone", locale)
    else:
        first = first_of(scene, tree, Stands(scene))
        yield _say("first", locale, trees=first.stand.trees - 1)
        yield from _stories(verdict_of(scene, tree, first), locale)


def _grown(scene: Scene, doubt: Doubt, locale: str) -> Iterator[str]:
    judged, bands = doubt.judged, scene.bands
    cm, up, down, *_ = judged.expected
    version = "–" if bands is None else bands.version
    yield _say("band", locale, expected=f"{cm:.1f}", low=f"{cm - 2 * down:.1f}", high=f"{cm + 2 * up:.1f}",
               rate=f"{judged.rate:.2f}", trees=judged.growth.trees, years=f"{scene.years:.1f}", version=version)  # fmt: skip
    low, high = bounds_cm(
        scene.limits, judged.growth, judged.last, scene.years, has_older=judged.older is not None
    )
    yield _say("screen", locale, low=f"{low:.1f}", high=f"{high:.1f}", dbh=f"{judged.dbh:g}")
    yield from _stories(doubt.verdict, locale)


def _stories(verdict: Verdict, locale: str) -> Iterator[str]:
    yield _say("wrong", locale, chance=f"{verdict.wrong:.3f}")
    for story in verdict.stories[:6]:
        meant = "" if story.meant_cm is None else f" → {story.meant_cm:.1f} cm"
        yield _say(
            "story", locale, chance=f"{story.chance:.2f}", kind=kind_name(story.kind, locale), meant=meant
        )


def _neighbours(scene: Scene, key: Key, locale: str) -> Iterator[str]:
    place = next((at for at, pair in enumerate(scene.grown) if pair.now.key == key), None)
    if place is None:
        return
    yield _say("neighbours", locale)
    for now, before in scene.grown[max(place - 2, 0) : place + 3]:
        yield f"  {_tag(now.key)}  {now.species}  {before.dbh_cm:g} → {now.dbh_cm:g}"


def _rules(scene: Scene, flags: Sequence[Flag], parameters: Parameters, locale: str) -> Iterator[str]:
    if flags:
        yield _say("spoke", locale)
    for flag in flags:
        yield f"  {flag.rule} {flag.severity} {flag.score:.3f} ({flag.priority:.3f} t CO2e): {message(flag, locale)}"
    spoke = {flag.rule for flag in flags}
    scopes = {"tree", "pair"} if scene.before is not None else {"tree"}
    silent = [
        rule for rule, about in RULES.items()
        if about.scope in scopes and rule[0] in "THX" and rule not in spoke and rule not in parameters.off
    ]  # fmt: skip
    yield _say("silent", locale, rules=" ".join(silent))
