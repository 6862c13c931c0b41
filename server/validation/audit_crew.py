"""What the audits of one crew in one census say together (Q01 to Q06).

Only plots that were drawn at random estimate how good the crew is; plots audited because they were flagged are worse
by choice and count for themselves alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from server.validation import audit
from server.validation.audit import Figures, Verdict
from server.validation.flag import Flag, Severity
from server.validation.parameters import Parameters
from server.validation.parameters.limits import Limits
from server.validation.rule import raised
from server.validation.shares import chance_above, likely


class Scored(NamedTuple):
    """One audit. `plot` as painted on the post, `on` the day of the audited visit (ISO text, None: not known)."""

    audit_id: int
    visit_id: int
    plot: str
    on: str | None
    is_random: bool | None
    figures: Figures


class Done(NamedTuple):
    """A visit of the crew that counts: which plot, which day."""

    visit_id: int
    plot: str
    on: str | None


class Pooled(NamedTuple):
    """`reopen`: visits since the last audit that the crew passed, where it has failed one since."""

    figures: Figures
    flags: list[Flag]
    reopen: list[Done]


def pooled(done: Sequence[Done], scores: Sequence[Scored], parameters: Parameters) -> Pooled:
    """The audits of a crew in a census, in the order in which it visited the plots."""
    limits = parameters.limits
    drawn = sorted((one for one in scores if one.is_random), key=lambda one: (one.on or "", one.audit_id))
    figures = _figures(done, scores, drawn, limits)
    reopen = _since_passed(done, drawn, figures)
    found = [*_sample_flags(figures, limits), *_quality_flags(figures, limits), *_failed_flags(drawn, reopen)]
    return Pooled(figures, [flag for flag in found if flag.rule not in parameters.off], reopen)


def _figures(
    done: Sequence[Done], scores: Sequence[Scored], drawn: Sequence[Scored], limits: Limits
) -> Figures:
    def total(name: str) -> Any:
        return sum(one.figures[name] for one in drawn)

    ours, theirs = total("agb_ours"), total("agb_theirs")
    return {
        "visits": len(done),
        "audits": len(scores),
        "random": len(drawn),
        "verdicts": {word.value: sum(one.figures["verdict"] == word for one in scores) for word in Verdict},
        **audit.agreement(total("trees"), total("outside"), limits),
        **audit.bias(total("bias_trees"), total("bias_sum"), total("bias_squares")),
        **{name: total(name) for name in ("missed", "extra", "lacking_large", "both", "species", "status")},
        "agb_off": (theirs - ours) / ours if ours else None,
    }


def _since_passed(done: Sequence[Done], drawn: Sequence[Scored], figures: Figures) -> list[Done]:
    """Visits after the last random audit that the crew passed, if it failed one after that or fails all together."""
    passed = [one.on or "" for one in drawn if one.figures["verdict"] == Verdict.PASSED]
    failed = [one for one in drawn if one.figures["verdict"] == Verdict.FAILED]
    since = max(passed, default="")
    failed_since = [one for one in failed if (one.on or "") >= since]
    if figures["outside"] > figures["most"] and failed:
        return list(done)
    if not failed_since:
        return []
    audited = {one.visit_id for one in drawn if one.figures["verdict"] == Verdict.PASSED}
    return [one for one in done if (one.on or "") >= since and one.visit_id not in audited]


def _sample_flags(figures: Figures, limits: Limits) -> Iterator[Flag]:
    """Q01: fewer plots drawn at random than the plan asks for."""
    visits, drawn = figures["visits"], figures["random"]
    wanted = -(-visits * limits.q01_share // 1)
    if visits >= limits.q01_min_visits and drawn < wanted:
        yield raised("Q01", None, "", "", "", f"{drawn}/{visits}", drawn=drawn, visits=visits, wanted=int(wanted),
                     share_pct=100 * limits.q01_share, step=int(wanted) - drawn, score=0.5)  # fmt: skip


def _quality_flags(figures: Figures, limits: Limits) -> Iterator[Flag]:
    trees, outside = figures["trees"], figures["outside"]
    if outside > figures["most"]:
        yield raised("Q02", None, "", "", "dbh_cm", f"{outside}/{trees}", outside=outside, trees=trees,
                     most=figures["most"], power_pct=100 * figures["power"], bad_pct=100 * limits.q02_bad_share,
                     step=outside.bit_length(),
                     score=chance_above(outside, trees, limits.q02_honest_share))  # fmt: skip
    if figures["bias"] is not None and figures["is_biased"] and figures["bias_trees"] >= limits.q02_min_trees:
        low, high = figures["bias_interval"]
        yield raised("Q03", None, "", "", "dbh_cm", f"{figures['bias']:+.1f}", trees=figures["bias_trees"],
                     case="more" if figures["bias"] > 0 else "less", times=abs(figures["bias"]),
                     least_times=min(abs(low), abs(high)), most_times=max(abs(low), abs(high)),
                     step=round(figures["bias"]), score=likely(abs(figures["bias"])))  # fmt: skip
    labels = figures["species"] + figures["status"]
    if figures["lacking_large"] or labels > 2 * (1 - limits.q04_labels_share) * figures["both"]:
        yield raised("Q04", None, "", "", "tag", str(figures["lacking_large"]), missed=figures["missed"],
                     extra=figures["extra"], species=figures["species"], status=figures["status"],
                     trees=figures["both"], step=(figures["lacking_large"] + labels).bit_length(),
                     score=0.9)  # fmt: skip
    off = figures["agb_off"]
    if off is not None and abs(off) > limits.q05_pooled_share:
        gross = abs(off) > limits.q05_plot_share
        yield raised("Q05", None, "", "", "dbh_cm", f"{100 * off:+.1f} %", off_pct=f"{100 * off:+.1f}",
                     limit_pct=100 * limits.q05_pooled_share, plots=figures["random"], step=round(100 * off),
                     severity=None if gross or figures["random"] >= limits.q05_min_plots else Severity.WARN,
                     score=0.9 if gross else 0.7)  # fmt: skip


def _failed_flags(drawn: Sequence[Scored], reopen: Sequence[Done]) -> Iterator[Flag]:
    """Q06: the crew failed, and its visits since it last passed are in doubt."""
    if reopen:
        failed = [one.plot for one in drawn if one.figures["verdict"] == Verdict.FAILED]
        yield raised("Q06", None, "", "", "", str(len(reopen)), plots=failed, visits=len(reopen),
                     visit_ids=[str(one.visit_id) for one in reopen], step=",".join(failed), score=0.95)  # fmt: skip
