"""Shapes of the JSON door: what may be asked and what is answered, in the words of the columns."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from server.store.flag_report import ORDERS, SEVERITIES, STATES

MOST_ROWS = 500
"""Rows of one page at the most: about 100 kB of JSON."""


class Cursor:
    """Where a page of flags ended, as text: what its last flag is ordered by, and its number."""

    @staticmethod
    def write(place: tuple[float, int]) -> str:
        return f"{place[0]!r}_{place[1]}"

    @staticmethod
    def read(text: str) -> tuple[float, int]:
        """Raises ValueError for a text that `write` never wrote."""
        score, _, number = text.partition("_")
        return float(score), int(number)


class Problem(Schema):
    """A refusal (RFC 9457): `title` is a word for programs, `detail` a sentence for people."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()


class Project(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class PlotQuery(Schema):
    census = fields.String(load_default="", metadata={"description": "name of a census; empty: the newest"})
    search = fields.String(load_default="", metadata={"description": "part of a plot_id"})
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000_000))
    rows = fields.Integer(load_default=100, validate=validate.Range(1, MOST_ROWS))


class CensusQuery(Schema):
    census = fields.String(load_default="", metadata={"description": "name of a census; empty: the newest"})


class FlagCounts(Schema):
    error = fields.Integer(dump_default=0)
    warn = fields.Integer(dump_default=0)
    info = fields.Integer(dump_default=0)


class Visit(Schema):
    census = fields.String()
    crew = fields.String(allow_none=True)
    surveyor = fields.String(allow_none=True)
    measured_on = fields.String(allow_none=True, metadata={"format": "date"})
    review_state = fields.String()
    checked_at = fields.Integer(allow_none=True, metadata={"description": "ms since 1970 UTC"})


class Plot(Schema):
    plot_id = fields.String(required=True)
    township = fields.String(allow_none=True)
    stratum = fields.String(allow_none=True)
    crew = fields.String(allow_none=True)
    is_planned = fields.Boolean()
    visit = fields.Nested(Visit, allow_none=True)
    trees = fields.Integer()
    flags = fields.Nested(FlagCounts)
    photos_received = fields.Integer()
    photos_expected = fields.Integer()


class PlotPage(Schema):
    census = fields.String(allow_none=True)
    total = fields.Integer()
    plots = fields.List(fields.Nested(Plot))
    next_offset = fields.Integer(allow_none=True)


class Measurement(Schema):
    """One stem as it counts; `ordinal` is its place in the crew's list, from 0."""

    ordinal = fields.Integer()
    tag = fields.String()
    stem_id = fields.String()
    species = fields.String()
    tally_code = fields.Integer(allow_none=True)
    dbh_cm = fields.Float(allow_none=True)
    dbh_text = fields.String(metadata={"description": "the diameter exactly as typed"})
    height_m = fields.Float(allow_none=True)
    pom_m = fields.Float(allow_none=True)
    azimuth_deg = fields.Float(allow_none=True)
    distance_m = fields.Float(allow_none=True)
    x_m = fields.Float(allow_none=True)
    y_m = fields.Float(allow_none=True)
    verified = fields.Boolean()
    codes = fields.String(allow_none=True)


class Flag(Schema):
    id = fields.Integer()
    visit_id = fields.Integer()
    plot = fields.String(metadata={"description": "plot_id, in lists over several plots"})
    census = fields.String()
    ordinal = fields.Integer(allow_none=True)
    tag = fields.String(allow_none=True)
    stem_id = fields.String(allow_none=True)
    rule = fields.String()
    rule_version = fields.Integer()
    severity = fields.String(validate=validate.OneOf(SEVERITIES))
    score = fields.Float(metadata={"description": "probability that the value is wrong, 0 to 1"})
    priority = fields.Float(metadata={"description": "score times the carbon at stake, t CO2e"})
    field = fields.String(allow_none=True)
    value = fields.String(allow_none=True)
    expected_low = fields.Float(allow_none=True)
    expected_high = fields.Float(allow_none=True)
    suggestion = fields.String(allow_none=True)
    facts = fields.Dict(keys=fields.String())
    state = fields.String(validate=validate.OneOf(STATES))


class CorrectionMade(Schema):
    """A value that was changed: what the tape had said, what counts now, who and why. Moments in ms since 1970."""

    id = fields.Integer()
    tag = fields.String(allow_none=True)
    stem_id = fields.String(allow_none=True)
    field = fields.String()
    old = fields.String(allow_none=True)
    new = fields.String(allow_none=True)
    source = fields.String()
    made_by = fields.String()
    why = fields.String()
    made_at = fields.Integer()
    undone_at = fields.Integer(allow_none=True)
    undone_by = fields.String(allow_none=True)


class VisitWithTrees(Visit):
    id = fields.Integer()
    plot_id = fields.String(required=True)
    instance_id = fields.String()
    trees = fields.List(fields.Nested(Measurement), metadata={"description": "as they count"})
    corrections = fields.List(
        fields.Nested(CorrectionMade), metadata={"description": "latest first, undone too"}
    )
    flags = fields.List(fields.Nested(Flag))


class FlagQuery(Schema):
    state = fields.String(load_default="open", validate=validate.OneOf(STATES))
    severity = fields.String(load_default="", validate=validate.OneOf(("", *SEVERITIES)))
    rule = fields.String(load_default="")
    by = fields.String(load_default="score", validate=validate.OneOf(ORDERS))
    cursor = fields.String(load_default="", metadata={"description": "of the page before"})
    rows = fields.Integer(load_default=100, validate=validate.Range(1, MOST_ROWS))


class FlagPage(Schema):
    flags = fields.List(fields.Nested(Flag))
    cursor = fields.String(allow_none=True, metadata={"description": "null: this was the last page"})
