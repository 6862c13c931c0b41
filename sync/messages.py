"""Shapes of our own wire, for whoever writes a phone: the description at /v1/openapi.json is made from them.

In the words of the forms and the store; see PROTOCOL.md. Values are checked where they are read (`sync.push`).
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from sync.intake import Reason
from sync.push import MOST_FILES, MOST_ID_CHARS, MOST_INSTANCES, MOST_NAME_CHARS

STATES = ("kept", "already_kept", "quarantined", "refused")


class NamedFile(Schema):
    name = fields.String(required=True, validate=validate.Length(1, MOST_NAME_CHARS))
    sha256 = fields.String(
        required=True,
        validate=validate.Regexp("^[0-9a-f]{64}$"),
        metadata={"description": "of its bytes, hex"},
    )
    size_bytes = fields.Integer(required=True, validate=validate.Range(min=0))


class PushedInstance(Schema):
    client_id = fields.String(
        required=True, validate=validate.Length(max=MOST_ID_CHARS), metadata={"description": "echoed"}
    )
    xml = fields.String(required=True, metadata={"description": "the instance, as OpenRosa would carry it"})
    files = fields.List(
        fields.Nested(NamedFile),
        validate=validate.Length(max=MOST_FILES),
        metadata={"description": "every file that the instance has"},
    )


class Push(Schema):
    """A batch of instances, in any order."""

    instances = fields.List(
        fields.Nested(PushedInstance), required=True, validate=validate.Length(max=MOST_INSTANCES)
    )
    flags = fields.Boolean(metadata={"description": "true: say at once what looks odd"})


class Photos(Schema):
    """Files that an instance names: how many, how many of them are here, and which are still to be sent."""

    received = fields.Integer(required=True)
    expected = fields.Integer(required=True)
    missing = fields.List(fields.String(), required=True)


class QuickFlag(Schema):
    rule = fields.String(required=True)
    severity = fields.String(required=True, validate=validate.OneOf(("error", "warn")))
    tag = fields.String(required=True)
    stem_id = fields.String(required=True)
    field = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "a sentence in the phone's language"})


class PushResult(Schema):
    """What became of one instance; after any state but `refused` the phone may forget it."""

    client_id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    instance_id = fields.String(metadata={"description": "absent where it could not be read"})
    reason = fields.String(
        metadata={"description": f"why it is quarantined ({', '.join(Reason)}) or refused"}
    )
    detail = fields.String(metadata={"description": "a sentence for the crew, with a reason"})
    photos = fields.Nested(Photos, metadata={"description": "absent where it is refused"})
    flags = fields.List(fields.Nested(QuickFlag), metadata={"description": "only when asked for"})


class Pushed(Schema):
    """The answer to a batch, in its order."""

    results = fields.List(fields.Nested(PushResult), required=True)
