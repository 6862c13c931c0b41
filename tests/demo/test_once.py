"""What happens once in the made-up county: a map app's datum, a photo sent twice."""

from __future__ import annotations

from functools import cache

from server.demo.campaign import Campaign, simulate
from server.demo.county import Habit, make_county
from server.forest.position import Point, apart_m
from server.validation.datum import GCJ02, restored, signature


@cache
def _campaign() -> Campaign:
    return simulate(make_county(1))


def test_one_visit_of_the_careful_crew_came_with_the_datum_of_a_map() -> None:
    plots = {plot.plot_id: plot for plot in _campaign().county.plots}
    far = [
        (visit, Point(plots[visit.plot_id].lat, plots[visit.plot_id].lon))
        for visit in _campaign().visits
        if apart_m(Point(plots[visit.plot_id].lat, plots[visit.plot_id].lon),
                   Point(visit.position.lat, visit.position.lon)) > 100
    ]  # fmt: skip
    ((visit, plan),) = far
    assert (visit.census, plots[visit.plot_id].crew.habit) == ("2026", Habit.CAREFUL)
    fix = Point(visit.position.lat, visit.position.lon)
    found = signature(plan, fix, 35.0)
    assert found is not None
    assert found.datum == GCJ02
    assert apart_m(plan, restored(fix, GCJ02)) < 30  # as far as any fix of the crew is off


def test_one_photo_was_sent_for_two_plots_under_two_names() -> None:
    shots = [(photo.shot, visit, photo.name) for visit in _campaign().visits for photo in visit.photos]
    seen: dict[object, list[tuple[str, str]]] = {}
    for shot, visit, name in shots:
        seen.setdefault(shot, []).append((visit.plot_id, name))
    (twice,) = [places for places in seen.values() if len(places) > 1]
    (one, name), (other, other_name) = twice
    assert one != other
    assert name != other_name
    crews = {plot.plot_id: plot.crew for plot in _campaign().county.plots}
    assert crews[one] is crews[other]
    assert crews[one].habit is Habit.COPIES


def test_in_a_county_of_few_plots_neither_happens() -> None:
    small = make_county(1, 3)
    plans = {plot.plot_id: Point(plot.lat, plot.lon) for plot in small.plots}
    for visit in simulate(small).visits:
        assert apart_m(plans[visit.plot_id], Point(visit.position.lat, visit.position.lon)) < 100
