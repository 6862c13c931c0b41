"""Both censuses as crews would send them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from forms.audit_log import NAME, read_log
from forms.compile import compile_form
from forms.definition import Form
from forms.instance import Reader, read
from server.demo.campaign import Campaign, audit_visits, load_visits, simulate
from server.demo.county import make_county
from server.demo.instance import Renderer
from server.demo.thinning import FELLED_ON
from server.demo.visits import CLOCK
from server.photos.exif import exif_of

LIBRARY = Path(__file__).parents[2] / "forms" / "library"


@cache
def _campaign() -> Campaign:
    return simulate(make_county(1))


@cache
def _form(name: str) -> Form:
    return compile_form(LIBRARY / f"{name}.md").form


def test_the_same_seed_gives_the_same_campaign() -> None:
    assert simulate(make_county(1)) == _campaign()
    assert simulate(make_county(2)).visits != _campaign().visits


def test_every_plot_is_visited_once_in_each_census_by_its_crew() -> None:
    campaign = _campaign()
    crews = {plot.plot_id: plot.crew.name for plot in campaign.county.plots}
    seen = [(visit.census, visit.plot_id) for visit in campaign.visits]
    assert len(seen) == len(set(seen)) == 2 * len(crews)
    assert all(visit.crew == crews[visit.plot_id] for visit in campaign.visits)


def test_visits_lie_inside_their_census_on_workdays_and_by_daylight() -> None:
    censuses = {census.name: census for census in _campaign().county.censuses}
    for visit in _campaign().visits:
        census = censuses[visit.census]
        assert census.starts_on <= visit.started_at.date() <= census.ends_on
        assert visit.started_at.weekday() < 5
        assert visit.started_at.date() == visit.ended_at.date()
        assert 8 <= visit.started_at.hour < visit.ended_at.hour + 1 <= 20
        assert visit.started_at.tzinfo is CLOCK


def test_no_crew_is_at_two_plots_at_once() -> None:
    for crew in _campaign().county.crews:
        visits = sorted((v for v in _campaign().visits if v.crew == crew.name), key=lambda v: v.started_at)
        assert all(a.ended_at < b.started_at for a, b in pairwise(visits))


def test_every_instance_reads_back_as_it_was_typed() -> None:
    form = _form("plot_visit")
    renderer, reader = Renderer(form), Reader(form)
    for visit in _campaign().visits:
        found = read(renderer.render(visit.rows(), visit.instance_id, instance_name=visit.instance_name))
        answers = reader.answers(found.root)
        assert answers.trees == visit.trees
        assert answers.rows["corner"] == visit.rows()["corner"]
        assert answers.one("plot") == {"plot_id": visit.plot_id, **visit.header}
        assert sorted(answers.files) == sorted(photo.name for photo in visit.photos)
        assert found.meta.instance_id == visit.instance_id


def test_an_audit_reads_back_as_it_was_typed_and_shows_nothing_of_the_first_visit() -> None:
    form = _form("audit_visit")
    plots = [plot.plot_id for plot in _campaign().county.plots[:9]]
    first = {visit.plot_id: visit for visit in _campaign().visits_of("2026")}
    ids = {visit.instance_id for visit in _campaign().visits}
    for visit in audit_visits(_campaign(), plots):
        answers = Reader(form).answers(read(Renderer(form).render(visit.rows(), visit.instance_id)).root)
        assert answers.trees == visit.trees
        assert answers.one("visit")["kind"] == "audit"
        assert answers.one("visit")["audit_kind"] == "random"
        assert answers.one("visit")["crew"] == "质检队"
        assert answers.one("plot") == {"plot_id": visit.plot_id}
        assert first[visit.plot_id].ended_at < visit.started_at
        assert visit.instance_id not in ids
        assert visit.instance_name.endswith(" / audit")


def test_every_answer_to_a_choice_is_one_of_its_choices() -> None:
    form = _form("plot_visit")
    renderer = Renderer(form)
    choices = {q.name: {c.value for c in q.choices} for q in form.questions if q.choices}
    assert {"species", "tally_code", "dominant_species", "soil_type"} <= choices.keys()
    for visit in _campaign().visits:
        root = read(renderer.render(visit.rows(), visit.instance_id)).root
        for name, allowed in choices.items():
            assert {element.text for element in root.iter(name)} - {None} <= allowed


def test_instance_ids_are_never_used_twice() -> None:
    ids = [visit.instance_id for visit in _campaign().visits]
    assert len(set(ids)) == len(ids)


def test_photos_are_taken_at_the_plot_during_the_visit() -> None:
    visit = _campaign().visits[3]
    for photo in visit.photos:
        exif = exif_of(photo.content())
        assert visit.started_at.isoformat() < str(exif.taken_at) < visit.ended_at.isoformat()
        assert exif.lat is not None
        assert abs(exif.lat - visit.position.lat) < 0.0003  # 33 m
    assert len({photo.name for photo in visit.photos}) == len(visit.photos) >= 4


def test_the_tape_in_a_photo_shows_the_truth_and_not_what_was_typed() -> None:
    campaign = _campaign()
    slipped = {(s.census, s.plot_id, s.tag): s for s in campaign.slips if s.kind == "decimal_point"}
    visits = {(v.census, v.plot_id): v for v in campaign.visits}
    for (census, plot_id, tag), s in slipped.items():
        visit = visits[census, plot_id]
        name = next(row["photo"] for row in visit.trees if row["tag"] == tag)
        shot = next(photo.shot for photo in visit.photos if photo.name == name)
        assert shot.tape_cm == float(s.true_value) != float(s.typed)
    assert slipped


@pytest.mark.slow
def test_a_phones_log_tells_what_was_measured_from_what_was_copied() -> None:
    form = _form("plot_visit")
    paths = [question.path for question in form.questions if question.measure == "tree.dbh_cm"]
    copied = {(s.census, s.plot_id) for s in _campaign().slips if s.kind.startswith("copied")}
    for visit in _campaign().visits:
        log = read_log(visit.files()[NAME], paths)
        assert len(log.gaps_s) == len(visit.trees) - 1
        assert visit.started_at.timestamp() * 1000 < (log.first_at or 0) < (log.last_at or 0)
        assert (log.last_at or 0) < visit.ended_at.timestamp() * 1000
        is_quick = min(log.gaps_s) < 20  # half a minute and more for a tree that was measured
        assert is_quick == ((visit.census, visit.plot_id) in copied)


def test_a_thinning_names_plots_in_which_trees_are_cut_and_no_other_plot_has_any() -> None:
    thinning = _campaign().thinnings[0]
    cut = {visit.plot_id for visit in _campaign().visits for row in visit.trees if row["tally_code"] == "14"}
    assert cut == set(thinning.plot_ids)
    assert len(cut) == 4
    assert thinning.felled_on == FELLED_ON
    assert 5 < thinning.intensity_pct < 35


def test_a_thinning_fills_its_form() -> None:
    thinning, form = _campaign().thinnings[0], _form("thinning_record")
    xml = Renderer(form).render(thinning.rows(), thinning.instance_id)
    answers = Reader(form).answers(read(xml).root)
    assert answers.one("thinning") == thinning.rows()["thinning"][0]
    assert answers.files == [thinning.photos[0].name]


def test_a_load_has_as_many_plots_trees_and_photos_as_asked_for() -> None:
    visits = list(load_visits(5, 4, 30, 2))
    assert [len(visit.trees) for visit in visits] == [30] * 4
    assert {len(visit.photos) for visit in visits} == {2}
    assert list(load_visits(5, 4, 30, 2)) == visits
    assert {v.instance_id for v in load_visits(6, 4, 30, 2)}.isdisjoint(v.instance_id for v in visits)
