"""A visit as a whole."""

from __future__ import annotations

from math import pi

from server.forest.tree import Measurement, TallyCode
from server.validation.plot import read_to_cm
from server.validation.reference import Reference
from tests.validation.makers import CUT, DEAD, PARAMETERS, flags, last, said, stand, tree, visit


def rules_of_visit(now, before=None, **other):
    return [flag.rule for flag in flags(now, before, **other) if flag.ordinal is None]


def test_a_plot_measured_as_girths_is_seen_as_a_whole():
    girths = [one._replace(dbh_cm=round((one.dbh_cm + 1.0) * pi, 1)) for one in stand(10)]
    assert "T07" in rules_of_visit(visit(*girths), last(*stand(10)))


def test_one_girth_is_no_plot_of_girths():
    grown = stand(10, grown_cm=1.0)
    grown[0] = grown[0]._replace(dbh_cm=round(11.0 * pi, 1))
    assert "T07" not in rules_of_visit(visit(*grown), last(*stand(10)))


def test_girths_of_a_first_census_show_by_the_heights():
    # 10 m at 12 cm is usual; written as 37.7 the tree would be as squat as a mushroom
    squat = [tree(str(i), round((12 + i / 10) * pi, 1), height_m=10.0) for i in range(6)]
    usual = [tree(str(i), 12 + i / 10, height_m=10.0) for i in range(6)]
    assert "T07" in rules_of_visit(visit(*squat))
    assert "T07" not in rules_of_visit(visit(*usual))


def test_a_crew_that_reads_whole_and_half_centimetres_only():
    coarse = [tree(str(i), 8 + i / 2) for i in range(30)]
    fine = [tree(str(i), 8 + i * 0.7) for i in range(30)]
    assert said(visit(*coarse)) == [("T08", "warn")]
    assert said(visit(*fine)) == []
    assert said(visit(*coarse[:29])) == []
    # 0.3 is what honest crews write; of 40 trees 0.3 + 2.33 * sqrt(0.21 / 40) = 0.47 may be by chance
    for round_ones, flagged in ((18, []), (20, [("T08", "warn")])):
        forty = [tree(str(i), 8 + i + (0.5 if i < round_ones else 0.3)) for i in range(40)]
        assert said(visit(*forty)) == flagged


def test_diameters_with_two_decimals_were_converted():
    assert said(visit(*(tree(str(i), 8 + i * 0.737) for i in range(30)))) == [("T08", "info")]


def test_a_plot_with_half_its_values_copied_from_last_time():
    before, now = stand(20), stand(20, grown_cm=1.0)
    half = before[:10] + now[10:]
    assert said(visit(*half), last(*before)) == [("X06", "warn")]
    assert said(visit(*before[:2], *now[2:]), last(*before)) == []


def test_a_third_copied_is_found_where_accepted_trees_tell_how_trees_grow():
    def plot(year: int, copied: int = 0) -> list[Measurement]:
        grown_cm = (year - 2014) * 0.2
        return [
            tree(str(n), round(10 + n % 20 + (0.0 if n < copied else grown_cm * (0.7 + 0.03 * (n % 20))), 1))
            for n in range(60)
        ]

    accepted = Reference.of([last(*plot(2014)), visit(*plot(2019))])
    before = last(*plot(2014)[:20])
    for copied, flagged in ((3, []), (6, ["X06"])):
        now = visit(*plot(2019, copied)[:20])
        assert [rule for rule in rules_of_visit(now, before, reference=accepted) if rule == "X06"] == flagged
        assert "X06" not in rules_of_visit(now, before)


def test_values_are_rarely_the_same_unless_the_tape_is_read_coarsely():
    girths = [tree(str(n), round(n / pi, 1)) for n in range(40, 60)]
    inches = [tree(str(n), round(0.254 * n, 1)) for n in range(40, 60)]
    tenths = [tree(str(n), 10 + 0.3 * n) for n in range(20)]
    halves = [tree(str(n), 10 + 0.5 * n) for n in range(20)]
    assert [read_to_cm(trees) for trees in (girths, inches, tenths, halves)] == [1 / pi, 0.254, 0.1, 0.5]


def test_many_corrections_of_last_times_crew():
    before = last(*stand(12))
    grown = stand(12, grown_cm=1.0)
    corrected = [one._replace(tally_code=TallyCode.DBH_ERROR) for one in grown[:3]]
    assert rules_of_visit(visit(*corrected, *grown[3:]), before) == ["X11"]
    assert rules_of_visit(visit(*corrected[:2], *grown[2:]), before) == []


def test_half_a_plot_dead_in_five_years_wants_a_reason():
    # 1 - (10/20) ** (1/5) = 12.9 % a year, above 5 %
    before, now = stand(20), stand(20, grown_cm=1.0)
    dead = [
        one._replace(tally_code=DEAD, dbh_cm=old.dbh_cm) for one, old in zip(now[:10], before, strict=False)
    ]
    (flag,) = flags(visit(*dead, *now[10:]), last(*before))
    assert (flag.rule, flag.facts["case"]) == ("X15", "mortality")
    assert abs(flag.facts["rate_pct"] - 12.94) < 0.05


def test_a_plot_that_doubled_in_five_years_wants_a_reason():
    # (41/20) ** (1/5) - 1 = 15.4 % a year; 10 % are 12.2 new trees of 20, and 8.1 more by chance
    new = [tree(str(i), 6.1, tally_code=TallyCode.INGROWTH) for i in range(21, 42)]
    (flag,) = flags(visit(*stand(20, grown_cm=1.0), *new), last(*stand(20)))
    assert (flag.rule, flag.facts["case"]) == ("X15", "ingrowth")
    assert flags(visit(*stand(20, grown_cm=1.0), *new[:20]), last(*stand(20))) == []


def test_cut_trees_want_a_thinning_on_record():
    before = last(*stand(12))
    cut = changed_to_cut(stand(12, grown_cm=1.0))
    assert said(visit(*cut), before) == [("X16", "error")]
    assert said(visit(*cut, thinned=True), before) == []


def test_a_thinning_that_cut_nothing_here():
    assert said(visit(*stand(12, grown_cm=1.0), thinned=True), last(*stand(12))) == [("X16", "error")]


def test_a_project_without_thinning_records_may_silence_the_rule():
    silent = PARAMETERS.with_changes({"X16.on": 0})
    assert said(visit(*changed_to_cut(stand(12, grown_cm=1.0))), last(*stand(12)), parameters=silent) == []


def changed_to_cut(trees):
    old = stand(12)
    return [
        one._replace(tally_code=CUT, dbh_cm=old[i].dbh_cm) if i < 2 else one for i, one in enumerate(trees)
    ]
