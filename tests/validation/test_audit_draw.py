"""Drawing plots for audits: fair, repeatable, and never more than was asked for."""

from __future__ import annotations

import subprocess
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from server.validation.audit_draw import Frame, by_number, by_share, drawn, in_order

frames = st.dictionaries(
    st.sampled_from(["一队", "二队", "三队", "四队"]),
    st.builds(Frame, st.lists(st.text("ABC0123", min_size=1, max_size=4), unique=True, max_size=30).map(tuple),
              st.integers(0, 20)),
)  # fmt: skip
seeds = st.text(min_size=1, max_size=10)


def test_a_draw_is_repeated_with_nothing_but_sha256sum() -> None:
    plots = [f"PS-{n:03d}" for n in range(12)]
    line = {
        plot: subprocess.run(["sha256sum"], input=f"2026/{plot}".encode(), capture_output=True, check=True).stdout
        for plot in plots
    }  # fmt: skip
    assert in_order(plots, "2026") == sorted(plots, key=line.__getitem__)


def test_a_tenth_is_rounded_up_and_what_was_drawn_before_counts() -> None:
    frames = {"一队": Frame(tuple("abcdefghijklmnopqrstuvwxyzABCD")), "二队": Frame(tuple("abcdefghi"), 1),
              "三队": Frame(tuple("abcdefghij"), 1), "四队": Frame(tuple("a"), 9)}  # fmt: skip
    assert by_share(frames, 0.1) == {"一队": 3, "二队": 0, "三队": 1, "四队": 0}


def test_a_number_is_shared_out_by_what_each_crew_has_left() -> None:
    frames = {"A": Frame(tuple("abcdef")), "B": Frame(tuple("ghi")), "C": Frame(("j",))}
    assert by_number(frames, 5) == {"A": 3, "B": 2, "C": 0}  # 3.0, 1.5 and 0.5; the tie by name


@given(frames, st.floats(0.001, 1), seeds)
def test_a_share_is_reached_and_not_passed(frames: dict[str, Frame], share: float, seed: str) -> None:
    found = drawn(frames, by_share(frames, share), seed)
    for crew, frame in frames.items():
        assert set(found[crew]) <= set(frame.plots)
        assert len(set(found[crew])) == len(found[crew])
        whole = len(frame.plots) + frame.before
        assert max(frame.before, share * whole - 1e-6) <= frame.before + len(found[crew])
        assert frame.before + len(found[crew]) <= max(frame.before, ceil(share * whole))


@given(frames, st.integers(1, 100), seeds)
def test_a_number_is_drawn_exactly_while_there_are_plots(
    frames: dict[str, Frame], plots: int, seed: str
) -> None:
    found = drawn(frames, by_number(frames, plots), seed)
    total = sum(len(frame.plots) for frame in frames.values())
    assert sum(map(len, found.values())) == min(plots, total)
    for crew, frame in frames.items():
        fair = plots * len(frame.plots) / total if total else 0
        assert len(found[crew]) >= min(len(frame.plots), int(fair))
        assert len(found[crew]) <= fair + 1


@given(
    st.sets(st.text("ABC0123", min_size=1, max_size=4), max_size=20),
    st.text("ABC", min_size=5, max_size=5),
    seeds,
)
def test_another_plot_in_the_list_moves_no_other(plots: set[str], more: str, seed: str) -> None:
    assert [plot for plot in in_order(plots | {more}, seed) if plot != more] == in_order(plots, seed)


def test_every_plot_has_the_same_chance() -> None:
    # 2,000 seeds, 2 of 10 plots each: 400 are expected of each plot, with a standard deviation of 18
    plots = tuple(f"PS-{n}" for n in range(10))
    times = dict.fromkeys(plots, 0)
    for seed in range(2_000):
        for plot in in_order(plots, str(seed))[:2]:
            times[plot] += 1
    assert all(abs(count - 400) < 4.5 * 18 for count in times.values())
