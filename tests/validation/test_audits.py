"""An audit beside the visit it checks: what is a fault, what chance may do, and what follows for the crew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.forest.tree import Measurement, TallyCode
from server.validation import audit_crew
from server.validation.audit import Figures, compared, failures, side_by_side
from server.validation.audit_crew import Done, Pooled, Scored
from server.validation.flag import message
from server.validation.parameters import Parameters

SHIPPED = Parameters.default()
LIMITS = SHIPPED.limits


def tree(tag: int, dbh_cm: float, **values: object) -> Measurement:
    return Measurement(tag, str(tag), species="pine", dbh_cm=dbh_cm)._replace(**values)  # type: ignore[arg-type]


def stand(trees: int = 60) -> list[Measurement]:
    return [tree(n, 8.0 + n / 2) for n in range(1, trees + 1)]


def off(theirs: list[Measurement], by_cm: dict[int, float]) -> list[Measurement]:
    return [t._replace(dbh_cm=(t.dbh_cm or 0) + by_cm.get(t.ordinal, 0.0)) for t in theirs]


def audited(theirs: list[Measurement], ours: list[Measurement]) -> Figures:
    return compared(side_by_side(theirs, ours, LIMITS), LIMITS)


def test_two_tapes_within_the_tolerance_agree() -> None:
    figures = audited(off(stand(), {n: 0.3 if n % 2 else -0.3 for n in range(1, 61)}), stand())
    assert (figures["outside"], figures["verdict"]) == (0, "passed")


def test_a_few_trees_outside_are_chance_and_more_are_not() -> None:
    assert audited(off(stand(), dict.fromkeys(range(1, 7), 2.0)), stand())["verdict"] == "passed"
    figures = audited(off(stand(), dict.fromkeys(range(1, 9), 2.0)), stand())
    assert (figures["outside"], figures["most"], failures(figures, LIMITS)) == (8, 6, ["dbh"])


def test_large_trees_may_differ_in_proportion() -> None:
    big = [tree(n, 60.0) for n in range(1, 61)]
    assert audited(off(big, dict.fromkeys(range(1, 61), 0.85)), big)["outside"] == 0
    assert audited(off(big, dict.fromkeys(range(1, 61), 0.95)), big)["outside"] == 60


def test_no_fault_among_a_few_trees_proves_little() -> None:
    figures = audited(stand(20), stand(20))
    assert figures["verdict"] == "weak"
    assert figures["power"] < 0.5


def test_a_missed_tree_fails_the_plot_and_a_missed_sapling_does_not() -> None:
    assert failures(audited(stand()[1:], stand()), LIMITS) == ["large"]
    small = [tree(n, 6.0) for n in range(1, 61)]
    assert audited(small[2:], small)["verdict"] == "passed"
    assert failures(audited(small[4:], small), LIMITS)[0] == "small"


def test_species_and_status_are_compared_too() -> None:
    theirs = [t._replace(species="oak") if t.ordinal == 3 else t for t in stand()]
    theirs[9] = theirs[9]._replace(tally_code=TallyCode.STANDING_DEAD)
    theirs[19] = theirs[19]._replace(tally_code=TallyCode.STANDING_DEAD)
    figures = audited(theirs, stand())
    assert (figures["species"], figures["status"]) == (1, 2)
    assert "status" in failures(figures, LIMITS)


def test_a_stretched_tape_is_told_from_scatter() -> None:
    scatter = {n: 0.1 if n % 2 else -0.1 for n in range(1, 61)}
    assert not audited(off(stand(), scatter), stand())["is_biased"]
    figures = audited(off(stand(), dict.fromkeys(range(1, 61), 0.25)), stand())
    assert figures["is_biased"]
    assert figures["outside"] == 0


def test_a_slip_is_counted_as_such_and_is_no_bias() -> None:
    figures = audited(off(stand(), {7: 100.0}), stand())
    assert (figures["outside"], figures["is_biased"], figures["bias"]) == (1, False, 0)


@given(st.lists(st.floats(5, 90), min_size=1, max_size=40))
def test_a_plot_beside_itself_has_no_fault(diameters: list[float]) -> None:
    trees = [tree(n, dbh) for n, dbh in enumerate(diameters)]
    figures = audited(trees, trees)
    assert failures(figures, LIMITS) == []
    assert figures["outside"] == figures["missed"] == figures["extra"] == figures["agb_off"] == 0


@given(st.lists(st.tuples(st.floats(5, 90), st.floats(5, 90)), min_size=1, max_size=40))
def test_who_is_audited_by_whom_changes_the_sign_alone(pairs: list[tuple[float, float]]) -> None:
    one, other = ([tree(n, pair[side]) for n, pair in enumerate(pairs)] for side in (0, 1))
    here, there = audited(one, other), audited(other, one)
    assert here["agb_theirs"] == there["agb_ours"]
    assert (here["missed"], here["extra"]) == (there["extra"], there["missed"])


# the crew


DONE = [Done(n, f"P-{n}", f"2026-05-{n:02d}") for n in range(1, 21)]


def scored(visit: int, figures: Figures, is_random: bool | None = True) -> Scored:
    return Scored(100 + visit, visit, f"P-{visit}", f"2026-05-{visit:02d}", is_random, figures)


GOOD, BAD = audited(stand(), stand()), audited(off(stand(), dict.fromkeys(range(1, 31), 2.0)), stand())


def pooled(*scores: Scored) -> Pooled:
    return audit_crew.pooled(DONE, scores, SHIPPED)


def rules(seen: Pooled) -> list[str]:
    return [flag.rule for flag in seen.flags]


def test_a_crew_that_nobody_audits_is_told_to_the_planner() -> None:
    seen = pooled()
    assert rules(seen) == ["Q01"]
    assert seen.flags[0].facts["wanted"] == 2
    assert "10.0" in message(seen.flags[0], "en")


def test_a_plot_audited_because_of_flags_says_nothing_of_the_crew() -> None:
    seen = pooled(scored(3, BAD, is_random=False), scored(5, BAD, is_random=None))
    assert rules(seen) == ["Q01"]
    assert seen.figures["trees"] == 0
    assert seen.figures["verdicts"]["failed"] == 2


def test_good_audits_leave_nothing_to_say() -> None:
    seen = pooled(scored(3, GOOD), scored(15, GOOD))
    assert rules(seen) == []
    assert seen.reopen == []


def test_after_a_failed_audit_the_visits_since_the_last_good_one_are_in_doubt() -> None:
    missed = audited(stand()[1:], stand())
    seen = pooled(scored(5, GOOD), scored(15, missed))
    assert rules(seen) == ["Q04", "Q06"]
    assert [one.visit_id for one in seen.reopen] == list(range(6, 21))
    assert seen.flags[-1].facts["plots"] == ["P-15"]


def test_a_crew_that_passed_since_is_trusted_again() -> None:
    assert pooled(scored(5, audited(stand()[1:], stand())), scored(15, GOOD)).reopen == []


def test_too_many_bad_diameters_in_all_put_the_whole_census_in_doubt() -> None:
    seen = pooled(scored(5, BAD), scored(15, GOOD))
    assert {"Q02", "Q05", "Q06"} <= set(rules(seen))
    assert len(seen.reopen) == 20


def test_bias_is_pooled_over_plots() -> None:
    little = audited(off(stand(30), dict.fromkeys(range(1, 31), 0.25)), stand(30))
    seen = pooled(scored(5, little), scored(15, little))
    assert rules(seen) == ["Q03", "Q05"]
    # 0.25 cm on trees that may be 0.1 cm off: 2.5 times, and on larger ones a little less
    assert "reads more, 2." in message(seen.flags[0], "en")
    assert "(2." in message(seen.flags[0], "en")
