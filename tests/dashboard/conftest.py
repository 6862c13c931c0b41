"""A project whose every name is plain ASCII, so that a page's own words can be told from its data; and who reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select

from server.settings import Settings
from server.steps import audit_score, crew_decide, crew_look
from server.store import schema
from server.store.blobs import Blobs
from server.store.db import Database
from server.store.reviews import Act
from tests import builders
from tests.cast import PASSWORD, Cast

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole small project with one of everything a page can show; ids of its rows."""

    project: int
    plot: int
    now: int
    before: int
    source: int
    photo: int
    page: int  # an attachment that is HTML and calls itself a picture
    held: int
    device: int
    form_version: int
    draft: int
    letter: int
    imported: int
    conflict: int
    flag: int
    correction: int  # undone
    rework: int  # cancelled
    crew: int
    crew_flag: int  # accepted once and open again
    audit: int

    def named(self, argument: str) -> object:
        """What fills the argument of that name in an address."""
        return {
            "project_id": self.project, "plot_id": "P-1", "submission_id": self.held, "device_id": self.device,
            "attachment_id": self.photo, "version_id": self.draft, "job_id": self.letter,
            "event_id": self.imported, "conflict_id": self.conflict, "visit_id": self.now, "flag_id": self.flag,
            "correction_id": self.correction, "rework_id": self.rework,
            "crew_id": self.crew, "crew_flag_id": self.crew_flag, "audit_id": self.audit,
            "rule_id": "T05",
        }[argument]  # fmt: skip


IMPORTED = {
    "device": "D-1", "exported_at": builders.AT, "is_safe": False, "photos_received": 1, "photos_expected": 2,
    "counts": {"kept": 1, "already_kept": 1, "quarantined": 1, "refused": 1},
    "findings": [["cut-off", ""], ["unnamed", "N-5"]],
    "instances": [
        {"client_id": "N-1", "state": "kept", "reason": None, "instance_id": "uuid:1", "instance_name": "N-1",
         "photos_received": 1, "photos_expected": 2, "missing": ["b.jpg"], "findings": [["broken", "b.jpg"]]},
        {"client_id": "N-2", "state": "already_kept", "reason": None, "instance_id": "uuid:2", "instance_name": None,
         "photos_received": 0, "photos_expected": 0, "missing": [], "findings": []},
        {"client_id": "N-3", "state": "quarantined", "reason": "closed-form", "instance_id": "uuid:3",
         "instance_name": None, "photos_received": 0, "photos_expected": 0, "missing": [], "findings": []},
        {"client_id": "N-4", "state": "refused", "reason": "missing", "instance_id": None, "instance_name": None,
         "photos_received": 0, "photos_expected": 0, "missing": [], "findings": [["missing", "N-4"]]},
    ],
}  # fmt: skip
"""What an import of an outbox file told, with one of each end."""


def set_the_scene(database: Database, settings: Settings, name: str = "P-west") -> Scene:
    """A project of its own, called `name`."""
    with database.writing() as pen:
        put = lambda table, **values: builders.row(pen, table, **values)  # noqa: E731
        project = put(schema.project, name=name, created_at=builders.AT)
        crew = put(schema.crew, project_id=project, name="C-1")
        device = put(schema.device, project_id=project, crew_id=crew, name="D-1", token_hash=f"{name:0>64}",
                     created_at=builders.AT, app="x1")  # fmt: skip
        form = builders.form_version(pen, project)
        key = pen.scalar(schema.form.select().where(schema.form.c.project_id == project))
        asked = {**builders.PLOT_VISIT.to_json(), "warnings": ["N-1"]}
        draft = put(schema.form_version, form_key=key, version="D-2", title="T-2", xml=b"<h:html/>",
                    xml_md5="1" * 32, definition=asked, draft_token=f"tok-{name}")  # fmt: skip
        old = put(schema.census, project_id=project, name="2021", starts_on="2021-01-01")
        new = put(schema.census, project_id=project, name="2026", starts_on="2026-01-01")
        township = put(schema.township, project_id=project, name="T-1")
        stratum = put(schema.stratum, project_id=project, name="S-1")
        put_plot = lambda plot_id: put(  # noqa: E731
            schema.plot, project_id=project, plot_id=plot_id, township_id=township, stratum_id=stratum, crew_id=crew,
            is_planned=True, area_ha=0.0667, shape="square", lat=36.2, lon=113.4,
        )  # fmt: skip
        plot, _unseen = put_plot("P-1"), put_plot("P-2")
        pen.execute(insert(schema.species).values(
            project_id=project, code="pinus_tabuliformis", zh="Zh-pine", en="En-pine"))  # fmt: skip
        at = {"azimuth_deg": 45.0, "distance_m": 5.0}
        before = builders.visit(pen, project, plot, old, [builders.tree("1", 20.0, **at), builders.tree("2", 15.0),
                                builders.tree("3", 30.0, **at)], measured_on="2021-06-01")  # fmt: skip
        now = builders.visit(
            pen, project, plot, new,
            [builders.tree("1", 21.5, **at), builders.tree("2", 1.6),
             builders.tree("4", 8.0, tally_code=12, verified=True, pom_m=1.5, other={"note": "N-4"})],
            crew_id=crew, surveyor="W-1", header={"plot.origin": "21", "visit.note": "N-0"},
            sent={"device_id": device, "form_version_id": form, "xml": b"<data id='plot_visit'>\n</data>"},
        )  # fmt: skip
        source = pen.execute(schema.visit.select().where(schema.visit.c.id == now)).one().source_id
        photo = builders.attachment(pen, source, "a.jpg", builders.jpeg(), settings.photo_dir)
        builders.photo(pen, photo, builders.jpeg(60, (32, 24)), settings.photo_dir)
        page = builders.attachment(pen, source, "b.jpg", b"<html><script>1</script>" * 9, settings.photo_dir)
        builders.attachment(pen, source, "c.jpg", None, settings.photo_dir)
        builders.let_the_rules_look(pen, before, now)
        held = builders.submission(pen, project, quarantine="closed-form", variant="a" * 64, device_id=device)
        conflict = put(
            schema.conflict, project_id=project, plot_id=plot, visit_id=now, kind="two-visits", subject="S-0",
            raised_at=builders.AT, fields=[
                {"tag": "1", "stem_id": "1", "twin": "", "field": field, "base": "", "mine": mine, "theirs": theirs,
                 "mine_from": source, "theirs_from": held}
                for field, mine, theirs in [("dbh_cm", "21.5", "22"), ("species", "pinus_tabuliformis", "robinia"),
                                            ("tally_code", "11", "13"), ("tree", "{}", None),
                                            ("plot.slope_deg", "12", "21")]
            ],
        )  # fmt: skip
        letter = put(schema.job, kind="unfold", subject_id=held, due_at=builders.AT, promised_at=builders.AT,
                     attempts=6, dead_at=builders.AT, error="E-1")  # fmt: skip
        flag = pen.scalars(select(schema.flag.c.id).where(schema.flag.c.visit_id == now)).first()
        assert flag is not None
        correction = put(schema.correction, project_id=project, visit_id=before, tag="1", stem_id="1", ordinal=0,
                         field="dbh_cm", old="20.0", new="20.1", source="supervisor", made_by="P-li", why="N-5",
                         made_at=builders.AT, undone_at=builders.AT, undone_by="P-li")  # fmt: skip
        rework = put(schema.rework, project_id=project, plot_id=plot, visit_id=before, reason="N-6", state="cancelled",
                     sent_by="P-li", sent_at=builders.AT, closed_at=builders.AT)  # fmt: skip
        audit, crew_flag = _crews_looked_at(pen, settings, project, plot, new, crew)
        imported = put(schema.event, project_id=project, actor="P-li", action="outbox.import", subject="D-1.zip",
                       detail=IMPORTED, at=builders.AT)  # fmt: skip
    return Scene(project, plot, now, before, source, photo, page, held, device, form, draft, letter, imported,
                 conflict, flag, correction, rework, crew, crew_flag, audit)  # fmt: skip


def _crews_looked_at(pen: Connection, settings: Settings, project: int, plot: int, census: int,
                     crew: int) -> tuple[int, int]:  # fmt: skip
    """An audit of the plot by another crew, and the real look at both; numbers of the audit and of a flag."""
    other = builders.row(pen, schema.crew, project_id=project, name="C-2")
    audit = builders.visit(pen, project, plot, census, [builders.tree("1", 21.4), builders.tree("2", 16.0)],
                           kind="audit", crew_id=other, surveyor="W-2", measured_on="2026-06-09",
                           header={"visit.audit_kind": "random"})  # fmt: skip
    audit_score.write(pen, audit_score.look(pen, [audit]), builders.AT)
    crew_look.write(pen, crew_look.look(pen, [census], Blobs(settings.photo_dir)), builders.AT)
    [flag] = pen.scalars(select(schema.crew_flag.c.id).where(
        schema.crew_flag.c.crew_id == crew, schema.crew_flag.c.rule == "Q06"))  # fmt: skip
    for deed in (crew_decide.accept, crew_decide.reopen):
        deed(pen, project, flag, Act("P-li", "N-7", builders.AT))
    return audit, flag


@pytest.fixture
def scene(database: Database, settings: Settings, cast: Cast) -> Scene:
    """The project, with li its supervisor and zhou its verifier."""
    scene = set_the_scene(database, settings)
    with database.writing() as pen:
        pen.execute(insert(schema.membership), [
            {"person_id": cast.supervisor, "project_id": scene.project, "role": "supervisor"},
            {"person_id": cast.verifier, "project_id": scene.project, "role": "verifier"},
        ])  # fmt: skip
    return scene


@pytest.fixture
def sign_in(app: Flask, cast: Cast) -> SignIn:
    """A browser in which a person of the cast has signed in: `sign_in("li", "en")`."""

    def sign_in(login: str, locale: str = "zh") -> FlaskClient:
        browser = app.test_client()
        answer = browser.post("/login", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        browser.post("/language", data={"to": locale})
        return browser

    return sign_in


def addresses(scene: Scene) -> list[str]:
    """Every page of the scene's project that is read."""
    at = f"/projects/{scene.project}"
    return [
        f"{at}/plots", f"{at}/plots?state=not_visited&errors=1", f"{at}/plots/P-1", f"{at}/plots/P-2",
        f"{at}/plots/P-1?visit={scene.before}", f"{at}/flags", f"{at}/flags?state=void",
        f"{at}/flags/{scene.flag}", f"{at}/flags/{scene.flag}?by=priority", f"{at}/flags?by=priority",
        f"{at}/rules", f"{at}/rules/T05", f"{at}/rules/X04", f"{at}/quarantine",
        f"{at}/conflicts", f"{at}/conflicts?state=settled",
        f"{at}/crews", f"{at}/crews/{scene.crew}", f"{at}/audits", f"{at}/audits/{scene.audit}",
        f"{at}/audits/drawn",
        f"{at}/rework", f"{at}/rework?state=returned",
        f"{at}/devices", f"{at}/devices/{scene.device}", f"{at}/devices/{scene.device}/revoke",
        f"{at}/devices/{scene.device}/new-code", f"{at}/outbox", f"{at}/outbox/{scene.imported}", "/join",
        f"{at}/forms", f"{at}/forms/{scene.draft}/draft", "/jobs", "/", "/projects/999999/plots",
    ]  # fmt: skip
