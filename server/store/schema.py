"""Every table, once, with its constraints. Migrations bring an existing store here; a test compares the two.

Moments are whole milliseconds since 1970 UTC in `_at` columns; days are ISO text in `_on` columns. What a phone
sent (submission.xml, blobs) is never changed; everything in visit, tree, measurement and flag can be made again.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite's rowid is an INTEGER or nothing
Moment = BigInteger


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def _to(table: str, *, null: bool = False, on_delete: str | None = None) -> Column[int]:
    return Column(f"{table}_id", Id, ForeignKey(f"{table}.id", ondelete=on_delete), nullable=null)


# -- people -------------------------------------------------------------------------------------------------------

project = Table(
    "project", metadata, _id(),
    Column("name", Text, nullable=False),
    Column("strict_intake", Boolean, nullable=False, server_default=text("false")),  # refuse instead of quarantine
    Column("tally_limit_cm", Float, nullable=False, server_default="5.0"),  # smallest diameter that is tallied
    Column("settings", JSON, nullable=False, server_default="{}"),  # rule parameters that this project changes
    Column("created_at", Moment, nullable=False),
    Column("rules_hash", String(64)),  # SHA-256 of the rules its visits were looked at with; NULL: nobody noted it
)  # fmt: skip

crew = Table(
    "crew", metadata, _id(), _to("project"),
    Column("name", Text, nullable=False),
    UniqueConstraint("project_id", "name"),
)  # fmt: skip

person = Table(
    "person", metadata, _id(),
    Column("login", String(80), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("locale", String(8), nullable=False, server_default="zh"),
    Column("is_admin", Boolean, nullable=False, server_default=text("false")),
    Column("session_epoch", Integer, nullable=False, server_default="0"),  # raised: every session ends
    Column("created_at", Moment, nullable=False),
    Column("closed_at", Moment),
)  # fmt: skip

membership = Table(
    "membership", metadata,
    Column("person_id", Id, ForeignKey("person.id"), primary_key=True),
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("role", String(20), nullable=False),
    CheckConstraint("role IN ('crew', 'supervisor', 'farm', 'verifier', 'admin')", name="role"),
)  # fmt: skip

device = Table(
    "device", metadata, _id(), _to("project"), _to("crew", null=True),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256, hex: the token itself is not kept
    Column("locale", String(8), nullable=False, server_default="zh"),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_seen_at", Moment),
    Column("app", Text),  # User-Agent as last seen
    Column("app_version", Text),  # as the phone says at push and pull; NULL: it never said
    Column("pending_count", Integer),  # instances in its outbox as it last said; NULL: it never said
    Column("pending_at", Moment),  # when it said so
    Column("joined_at", Moment),  # when it first used its key
    # the project's feed number at which what it may see last changed: a cursor from before starts anew
    Column("scope_number", BigInteger, nullable=False, server_default="0"),
)  # fmt: skip

# what a device may see besides its crew's: no row, no limit of that kind
device_township = Table(
    "device_township", metadata,
    Column("device_id", Id, ForeignKey("device.id", ondelete="CASCADE"), primary_key=True),
    Column("township_id", Id, ForeignKey("township.id", ondelete="CASCADE"), primary_key=True),
)  # fmt: skip

device_plot = Table(
    "device_plot", metadata,
    Column("device_id", Id, ForeignKey("device.id", ondelete="CASCADE"), primary_key=True),
    Column("plot_id", Id, ForeignKey("plot.id", ondelete="CASCADE"), primary_key=True),
)  # fmt: skip

event = Table(  # who did what to the house: publishing, enrolling, revoking, re-running
    "event", metadata, _id(),
    Column("project_id", Id, ForeignKey("project.id")),
    Column("actor", Text, nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False, server_default="{}"),
    Column("at", Moment, nullable=False),
)  # fmt: skip

# -- what is asked ------------------------------------------------------------------------------------------------

form = Table(
    "form", metadata, _id(), _to("project"),
    Column("form_id", String(200), nullable=False),  # the XForm's id
    Column("state", String(10), nullable=False, server_default="open"),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("project_id", "form_id"),
    CheckConstraint("state IN ('open', 'closing', 'closed')", name="state"),
)  # fmt: skip

form_version = Table(
    "form_version", metadata, _id(),
    Column("form_key", Id, ForeignKey("form.id"), nullable=False),
    Column("version", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("xml", LargeBinary, nullable=False),  # the exact bytes that phones download
    Column("xml_md5", String(32), nullable=False),
    Column("definition", JSON, nullable=False),  # forms.definition.Form
    Column("draft_token", String(64), unique=True),  # a draft, open to whoever holds this; NULL once published
    Column("published_at", Moment),
    Column("is_current", Boolean, nullable=False, server_default=text("false")),
    Index("uq_form_version_published", "form_key", "version", unique=True,
          sqlite_where=text("published_at IS NOT NULL"), postgresql_where=text("published_at IS NOT NULL")),
)  # fmt: skip

form_media = Table(  # files that a form version expects beside it
    "form_media", metadata,
    Column("form_version_id", Id, ForeignKey("form_version.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("kind", String(10), nullable=False),  # file: bytes below; entities: made from the store at each request
    Column("content", LargeBinary),
    Column("content_md5", String(32)),
    CheckConstraint("kind IN ('file', 'entities')", name="kind"),
)  # fmt: skip

# -- what came ----------------------------------------------------------------------------------------------------

submission = Table(
    "submission", metadata, _id(), _to("project"),
    Column("form_version_id", Id, ForeignKey("form_version.id")),  # NULL: unknown form or version (quarantine)
    Column("form_id", String(200), nullable=False),  # as the instance says
    Column("version", String(200), nullable=False),
    Column("instance_id", String(200), nullable=False),
    # '' the one that counts; 'draft-...' a test; else the SHA-256 of a quarantined twin: one index keeps all apart
    Column("variant", String(64), nullable=False, server_default=""),
    Column("deprecated_id", String(200)),
    Column("instance_name", Text),
    Column("root_id", Id, ForeignKey("submission.id")),  # the first of a chain of edits; NULL: this is it
    Column("superseded_by_id", Id, ForeignKey("submission.id")),
    Column("xml", LargeBinary, nullable=False),  # as sent, packed (store/packed.py)
    Column("xml_sha256", LargeBinary(32), nullable=False),
    Column("device_id", Id, ForeignKey("device.id")),
    Column("person_id", Id, ForeignKey("person.id")),  # sent with a name and password instead of a device's key
    Column("phone_id", Text),  # deviceID as the phone names itself
    Column("app", Text),
    Column("received_at", Moment, nullable=False),
    Column("quarantine", String(30)),  # why it does not count yet; NULL: it counts
    Column("settled_at", Moment),  # when a person or a later arrival settled the quarantine
    Column("settled_by", Text),
    UniqueConstraint("project_id", "form_id", "instance_id", "variant"),
    Index("ix_submission_deprecated", "project_id", "deprecated_id",
          sqlite_where=text("deprecated_id IS NOT NULL"), postgresql_where=text("deprecated_id IS NOT NULL")),
    Index("ix_submission_quarantine", "project_id", "id",
          sqlite_where=text("quarantine IS NOT NULL"), postgresql_where=text("quarantine IS NOT NULL")),
)  # fmt: skip

attachment = Table(
    "attachment", metadata, _id(), _to("submission", on_delete="CASCADE"),
    Column("name", String(255), nullable=False),
    Column("is_expected", Boolean, nullable=False),  # the instance names it
    Column("sha256", String(64)),  # NULL: on its way
    Column("size_bytes", BigInteger),
    Column("content_type", Text),
    Column("received_at", Moment),
    UniqueConstraint("submission_id", "name"),
    Index("ix_attachment_sha256", "sha256"),
)  # fmt: skip

upload = Table(  # a file on its way in pieces; its bytes so far lie in the photo folder, their count is its offset
    "upload", metadata,
    Column("id", String(43), primary_key=True),  # random: who does not know it cannot write to it
    _to("project"), _to("device", null=True),
    Column("form_id", String(200), nullable=False),
    Column("instance_id", String(200), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),  # of the whole file, as the phone said beforehand
    Column("size_bytes", BigInteger, nullable=False),
    Column("content_type", Text),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("completed_at", Moment),  # whole and durable; waits for its instance where that has not come yet
    Index("ix_upload_instance", "project_id", "instance_id"),
    Index("ix_upload_expires", "expires_at"),
)  # fmt: skip

# -- the forest ---------------------------------------------------------------------------------------------------

stratum = Table(
    "stratum", metadata, _id(), _to("project"),
    Column("name", Text, nullable=False),
    Column("species", String(40)),
    Column("area_ha", Float),
    Column("boundary", JSON),  # GeoJSON polygon, WGS 84
    UniqueConstraint("project_id", "name"),
)  # fmt: skip

township = Table(
    "township", metadata, _id(), _to("project"),
    Column("name", Text, nullable=False),
    Column("boundary", JSON),  # GeoJSON polygon, WGS 84
    Column("is_generated", Boolean, nullable=False, server_default=text("false")),  # not a surveyed boundary
    UniqueConstraint("project_id", "name"),
)  # fmt: skip

species = Table(  # the project's list; empty: any species is taken
    "species", metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("latin", Text, nullable=False, server_default=""),
    Column("growth_group", String(20), nullable=False, server_default=""),  # of the rules: conifer, oak, fast
)  # fmt: skip

plot = Table(
    "plot", metadata, _id(), _to("project"), _to("stratum", null=True), _to("township", null=True),
    Column("plot_id", String(80), nullable=False),  # as painted on the corner post
    Column("lat", Float), Column("lon", Float),  # design position, degrees WGS 84
    Column("area_ha", Float),
    Column("shape", String(10)),  # square, circle
    Column("is_planned", Boolean, nullable=False, server_default=text("false")),  # false: a crew named it first
    Column("crew_id", Id, ForeignKey("crew.id")),  # who is to measure it
    UniqueConstraint("project_id", "plot_id"),
    CheckConstraint("shape IN ('square', 'circle')", name="shape"),
)  # fmt: skip

census = Table(
    "census", metadata, _id(), _to("project"),
    Column("name", String(80), nullable=False),
    Column("starts_on", String(10)), Column("ends_on", String(10)),
    UniqueConstraint("project_id", "name"),
)  # fmt: skip

visit = Table(
    "visit", metadata, _id(), _to("project"), _to("plot"), _to("census"), _to("crew", null=True),
    # the chain's first submission, so that an edit replaces and never doubles; the one it was read from
    Column("submission_id", Id, ForeignKey("submission.id"), nullable=False, unique=True),
    Column("source_id", Id, ForeignKey("submission.id"), nullable=False),
    Column("kind", String(10), nullable=False, server_default="visit"),  # visit, audit, rework
    Column("measured_on", String(10)),
    Column("started_at", Moment), Column("ended_at", Moment),
    Column("surveyor", Text),
    Column("lat", Float), Column("lon", Float), Column("altitude_m", Float), Column("accuracy_m", Float),
    Column("header", JSON, nullable=False, server_default="{}"),  # plot.* and visit.* answers as typed
    Column("corners", JSON, nullable=False, server_default="[]"),
    Column("review_state", String(12), nullable=False, server_default="received"),
    Column("unfolded_at", Moment, nullable=False),
    Column("checked_at", Moment),
    # number of another visit of the same plot and census, which holds the trees of both; NULL: it stands for itself
    Column("merged_into_id", Id),
    Index("ix_visit_plot", "plot_id", "measured_on"),
    Index("ix_visit_project", "project_id", "id"),
    Index("ix_visit_census", "census_id"),
    Index("ix_visit_fix", "project_id", "lat"),
    CheckConstraint("review_state IN ('received', 'edited', 'has_issues', 'approved', 'rejected')",
                    name="review_state"),
)  # fmt: skip

tree = Table(
    "tree", metadata, _id(), _to("plot"),
    Column("tag", String(40), nullable=False),
    Column("stem_id", String(20), nullable=False, server_default="1"),
    Column("entity_id", String(80)),  # given by a phone that created it offline; NULL: derived from our id
    UniqueConstraint("plot_id", "tag", "stem_id"),
)  # fmt: skip

measurement = Table(
    "measurement", metadata,
    # a visit's trees lie together on the disk, in the crew's order: written and read as one
    Column("visit_id", Id, ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),  # place in the crew's list, from 0
    _to("tree", null=True),
    Column("tag", String(40), nullable=False), Column("stem_id", String(20), nullable=False),
    Column("species", String(40), nullable=False),
    Column("tally_code", Integer),
    Column("dbh_cm", Float), Column("height_m", Float), Column("pom_m", Float),
    Column("azimuth_deg", Float), Column("distance_m", Float), Column("x_m", Float), Column("y_m", Float),
    Column("verified", Boolean, nullable=False),
    Column("dbh_text", Text, nullable=False),  # the diameter exactly as typed
    Column("codes", Text),  # condition codes, separated by spaces; NULL: none
    Column("other", JSON(none_as_null=True)),  # remaining tree.* answers as typed; NULL: none
    # copied by a merge from this visit, which is merged into this one; NULL: the visit's own crew measured it
    Column("from_visit_id", Id),
    sqlite_with_rowid=False,
)  # fmt: skip

correction = Table(  # a value changed by a person or by a second tape; the measurement itself stays as it came
    "correction", metadata, _id(), _to("project"), _to("visit", on_delete="CASCADE"),
    Column("tag", String(40)), Column("stem_id", String(20)),  # NULL: of the visit's header
    Column("ordinal", Integer),  # place of the tree when it was corrected: tells trees of one tag apart
    Column("field", String(40), nullable=False),
    Column("old", Text), Column("new", Text),  # as a crew would type it; NULL: blank
    Column("source", String(10), nullable=False),  # supervisor, rework, edit, merge
    Column("source_id", Id),  # number of the rework, submission or conflict behind it; NULL: none
    Column("made_by", Text, nullable=False),  # a login, or the name of a crew
    Column("why", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("undone_at", Moment), Column("undone_by", Text),  # NULL: it holds
    Index("ix_correction_visit", "visit_id"),
    CheckConstraint("source IN ('supervisor', 'rework', 'edit', 'merge')", name="source"),
)  # fmt: skip

thinning = Table(
    "thinning", metadata, _id(), _to("project"),
    Column("submission_id", Id, ForeignKey("submission.id"), nullable=False, unique=True),
    Column("source_id", Id, ForeignKey("submission.id"), nullable=False),
    Column("parcel_id", String(80), nullable=False),
    Column("felled_on", String(10)),
    Column("method", String(40)),
    Column("area_ha", Float), Column("trees_cut", Integer), Column("volume_m3", Float),
    Column("intensity_pct", Float),
    Column("permit", Text),
    Column("other", JSON, nullable=False, server_default="{}"),
)  # fmt: skip

thinning_plot = Table(
    "thinning_plot", metadata,
    Column("thinning_id", Id, ForeignKey("thinning.id", ondelete="CASCADE"), primary_key=True),
    Column("plot_id", Id, ForeignKey("plot.id"), primary_key=True),
    Index("ix_thinning_plot_plot", "plot_id"),
)  # fmt: skip

photo = Table(  # what an attachment turned out to show, when it is a picture
    "photo", metadata, _id(),
    Column("attachment_id", Id, ForeignKey("attachment.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("width_px", Integer), Column("height_px", Integer),
    Column("taken_at", Text),  # as the camera wrote it: ISO 8601, with offset where there is one
    Column("lat", Float), Column("lon", Float), Column("accuracy_m", Float),
    Column("make", Text), Column("model", Text), Column("software", Text),
    Column("thumbnail_sha256", String(64)),
    Column("fault", Text),  # why it could not be read as a picture; NULL: it could
    Column("inspected_at", Moment, nullable=False),
    Column("gps_at", Moment),  # moment of the fix in it, which satellites told; NULL: it has none
    Column("likeness", String(16)),  # 64 bits in hex, nearly the same for nearly the same picture; NULL: too plain
)  # fmt: skip

photo_band = Table(  # a photo's likeness in eight bytes: two that differ in six bits share two bytes at the least
    "photo_band", metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("band", Integer, primary_key=True, autoincrement=False),  # place of the byte (0 to 7) * 256 + the byte
    Column("attachment_id", Id, ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_photo_band_attachment", "attachment_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

photo_twin = Table(  # two photos of a project that show the same; each pair both ways
    "photo_twin", metadata,
    Column("attachment_id", Id, ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Id, ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True),
    Column("bits_apart", Integer, nullable=False),  # of 64; -1: the very same bytes
    Index("ix_photo_twin_other", "other_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

visit_gram = Table(  # trees that follow each other in a tally, as one number: by it a copied tally is found
    "visit_gram", metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("gram", BigInteger, primary_key=True, autoincrement=False),
    Column("visit_id", Id, ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True),
    _to("plot"),
    Index("ix_visit_gram_visit", "visit_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

fix_datum = Table(  # a person's word that a visit's fix is not in WGS 84; the fix itself stays as it came
    "fix_datum", metadata, _id(), _to("project"), _to("visit", on_delete="CASCADE"),
    Column("datum", String(6), nullable=False),
    Column("raw_lat", Float, nullable=False), Column("raw_lon", Float, nullable=False),  # the fix that she saw
    Column("lat", Float, nullable=False), Column("lon", Float, nullable=False),  # the same place in WGS 84
    Column("said_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("undone_at", Moment), Column("undone_by", Text),  # NULL: it holds
    Index("ix_fix_datum_visit", "visit_id"),
    CheckConstraint("datum IN ('gcj02', 'bd09')", name="datum"),
)  # fmt: skip

flag = Table(
    "flag", metadata, _id(), _to("project"), _to("visit", on_delete="CASCADE"), _to("plot"),
    Column("ordinal", Integer),  # the measurement's place in the visit; NULL: the visit as a whole
    Column("tag", String(40)), Column("stem_id", String(20)),
    Column("rule", String(10), nullable=False), Column("rule_version", Integer, nullable=False),
    Column("severity", String(5), nullable=False),
    Column("score", Float, nullable=False),
    Column("field", String(20)),  # dbh_cm, height_m, species, tally_code, tag: the cell it points at
    Column("value", Text), Column("expected_low", Float), Column("expected_high", Float),
    Column("suggestion", Text),
    Column("facts", JSON, nullable=False),  # what the message is made from, and the parameters used
    Column("inputs_hash", String(64), nullable=False),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("raised_at", Moment, nullable=False),
    Column("priority", Float, nullable=False, server_default="0"),  # score times the carbon at stake, t CO2e
    CheckConstraint("severity IN ('error', 'warn', 'info')", name="severity"),
    CheckConstraint("state IN ('open', 'accepted', 'corrected', 'sent_back', 'void')", name="state"),
    Index("ix_flag_visit", "visit_id"),
    Index("ix_flag_queue", "project_id", "state", "severity", "score"),
    Index("ix_flag_rule", "project_id", "rule", "state"),  # counts what became of each rule's flags
    Index("ix_flag_priority", "project_id", "state", "priority"),
)  # fmt: skip

band_fit = Table(  # what the project's accepted trees say of size and growth; the current one judges, older ones stay
    "band_fit", metadata, _id(), _to("project"),
    Column("version", Integer, nullable=False),  # 1, 2, ... in its project; flags name it
    Column("fitted_at", Moment, nullable=False),
    Column("plots", Integer, nullable=False), Column("visits", Integer, nullable=False),  # that it rests on
    Column("trees", Integer, nullable=False),
    Column("fit", Text, nullable=False),  # JSON: server.steps.refit
    Column("fit_sha256", String(64), nullable=False),
    Column("is_current", Boolean, nullable=False),
    UniqueConstraint("project_id", "version"),
)  # fmt: skip

recheck = Table(  # the rules look at every plot of a project again, a slice at a time, in order of their numbers
    "recheck", metadata, _id(), _to("project"),
    Column("reason", String(12), nullable=False),
    Column("asked_by", Text, nullable=False),  # a login, "cli" or "server"
    Column("asked_at", Moment, nullable=False),
    Column("begun", Integer, nullable=False, server_default="1"),  # how often it began anew: a slice of before is void
    Column("after_plot_id", Id, nullable=False, server_default="0"),  # looked at up to this plot
    Column("plots_total", Integer, nullable=False), Column("plots_done", Integer, nullable=False),
    Column("finished_at", Moment),
    Index("ix_recheck_project", "project_id", "id"),
    CheckConstraint("reason IN ('rules', 'bands', 'parameters', 'asked')", name="reason"),
)  # fmt: skip

# -- decisions ----------------------------------------------------------------------------------------------------

review = Table(  # what a person decided about a visit or one of its flags; never changed, only followed by another
    "review", metadata, _id(), _to("project"), _to("visit", on_delete="CASCADE"),
    Column("flag_id", Id, ForeignKey("flag.id", ondelete="CASCADE")),  # NULL: the visit as a whole
    Column("decision", String(12), nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("ix_review_visit", "visit_id"),
    CheckConstraint("decision IN ('accept', 'correct', 'send_back', 'reopen', 'approve', 'reject')", name="decision"),
)  # fmt: skip

rework = Table(  # trees of one visit that a crew is asked to measure again
    "rework", metadata, _id(), _to("project"), _to("plot"), _to("visit", on_delete="CASCADE"), _to("crew", null=True),
    Column("reason", Text, nullable=False),
    Column("due_on", String(10)),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("sent_by", Text, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Index("ix_rework_project", "project_id", "state"),
    Index("ix_rework_visit", "visit_id"),
    CheckConstraint("state IN ('open', 'returned', 'cancelled')", name="state"),
)  # fmt: skip

rework_tree = Table(
    "rework_tree", metadata,
    Column("rework_id", Id, ForeignKey("rework.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(40), primary_key=True),
    Column("stem_id", String(20), primary_key=True),
    Column("flag_id", Id, ForeignKey("flag.id", ondelete="SET NULL")),  # why; NULL: the supervisor's own doubt
    Column("reason", Text, nullable=False, server_default=""),  # of this tree; '': the rework's
    Column("before", JSON, nullable=False),  # field -> value as typed, when it was sent back
    Column("after", JSON(none_as_null=True)),  # field -> value as typed, when it was measured again
    Column("state", String(10), nullable=False, server_default="open"),
    Column("returned_visit_id", Id, ForeignKey("visit.id", ondelete="SET NULL")),
    Column("returned_at", Moment),
    CheckConstraint("state IN ('open', 'corrected', 'confirmed', 'gone', 'cancelled')", name="state"),
)  # fmt: skip

conflict = Table(  # two accounts of one thing that a machine must not choose between; both are kept
    "conflict", metadata, _id(), _to("project"), _to("plot", null=True),
    Column("visit_id", Id, ForeignKey("visit.id", ondelete="CASCADE")),  # the visit that stands meanwhile
    Column("kind", String(16), nullable=False),
    Column("subject", String(80), nullable=False),  # what clashes, so that the same clash is raised once
    Column("fields", JSON, nullable=False),  # list of sync.merge.Clash as JSON
    Column("state", String(10), nullable=False, server_default="open"),
    Column("raised_at", Moment, nullable=False),
    Column("settled_at", Moment), Column("settled_by", Text), Column("why", Text),
    UniqueConstraint("project_id", "kind", "subject"),
    Index("ix_conflict_open", "project_id", "state"),
    CheckConstraint("kind IN ('two-visits', 'edit-correction', 'two-edits')", name="kind"),
    CheckConstraint("state IN ('open', 'settled', 'gone')", name="state"),
)  # fmt: skip

# -- crews and audits ---------------------------------------------------------------------------------------------

visit_pace = Table(  # when the trees of a visit were entered, as the log of its phone says
    "visit_pace", metadata,
    Column("visit_id", Id, ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("log_sha256", String(64), nullable=False),  # of the log that was read: another one is read anew
    Column("first_at", Moment), Column("last_at", Moment),  # by the phone's clock; NULL: no tree in the log
    Column("gaps_s", JSON, nullable=False),  # s from one tree to the next
    Column("reasons", Integer, nullable=False),  # how often somebody said why a sent record was changed
)  # fmt: skip

crew_work = Table(  # how a crew worked in a census, in figures
    "crew_work", metadata,
    Column("crew_id", Id, ForeignKey("crew.id"), primary_key=True, autoincrement=False),
    Column("census_id", Id, ForeignKey("census.id"), primary_key=True, autoincrement=False),
    _to("project"),
    Column("figures", JSON, nullable=False),
    Column("looked_at", Moment, nullable=False),
    Index("ix_crew_work_census", "census_id"),
)  # fmt: skip

crew_flag = Table(  # what a rule says about a crew in a census
    "crew_flag", metadata, _id(), _to("project"), _to("crew"), _to("census"),
    Column("rule", String(10), nullable=False), Column("rule_version", Integer, nullable=False),
    Column("severity", String(5), nullable=False),
    Column("score", Float, nullable=False),
    Column("value", Text),
    Column("facts", JSON, nullable=False),  # what the message is made from, and the parameters used
    Column("inputs_hash", String(64), nullable=False),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("raised_at", Moment, nullable=False),
    CheckConstraint("severity IN ('error', 'warn', 'info')", name="severity"),
    CheckConstraint("state IN ('open', 'accepted', 'sent_back', 'void')", name="state"),
    Index("ix_crew_flag_crew", "crew_id", "census_id"),
    Index("ix_crew_flag_project", "project_id", "state"),
)  # fmt: skip

crew_decision = Table(  # what a person decided about one of them; never changed, only followed by another
    "crew_decision", metadata, _id(), _to("project"), _to("crew_flag", on_delete="CASCADE"),
    Column("decision", String(12), nullable=False),
    Column("visits", JSON, nullable=False, server_default="[]"),  # whose approval she took back: their numbers
    Column("why", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("ix_crew_decision_flag", "crew_flag_id"),
    CheckConstraint("decision IN ('accept', 'send_back', 'reopen')", name="decision"),
)  # fmt: skip

audit_score = Table(  # an audit visit beside the visit that it checks
    "audit_score", metadata,
    Column("audit_id", Id, ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _to("project"), _to("census"),
    Column("visit_id", Id, ForeignKey("visit.id", ondelete="CASCADE"), nullable=False),
    Column("crew_id", Id, ForeignKey("crew.id")),  # who is audited
    Column("is_random", Boolean),  # drawn at random; false: because of flags; NULL: nobody said
    Column("verdict", String(10), nullable=False),
    Column("figures", JSON, nullable=False),
    Column("scored_at", Moment, nullable=False),
    CheckConstraint("verdict IN ('passed', 'failed', 'weak')", name="verdict"),
    Index("ix_audit_score_census", "census_id", "crew_id"),
    Index("ix_audit_score_visit", "visit_id"),
)  # fmt: skip

# -- the feed -----------------------------------------------------------------------------------------------------

feed_head = Table(  # the last number given out; its row is locked until the commit, so numbers commit in order
    "feed_head", metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)  # fmt: skip

feed = Table(  # what changed last when: one row for each thing, its number moved on at each change
    "feed", metadata,
    Column("project_id", Id, ForeignKey("project.id"), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("subject_id", Id, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    # of a plot that has left: whose it was, so that only those hear of it; NULL: nobody's
    Column("was_crew_id", Id), Column("was_township_id", Id),
    Index("uq_feed_number", "project_id", "number", "kind", "subject_id", unique=True),
)  # fmt: skip

house = Table(  # one row: which store this is. A restored store is another one
    "house", metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", String(32), nullable=False),
    CheckConstraint("id = 1", name="one"),
)  # fmt: skip

# -- promises -----------------------------------------------------------------------------------------------------

job = Table(
    "job", metadata, _id(),
    Column("kind", String(20), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("leased_until", Moment),  # a worker has it; in the past: that worker died
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("dead_at", Moment),  # tried often enough: a person must look
    Column("promised_at", Moment, nullable=False),
    Index("ix_job_due", "due_at", sqlite_where=text("dead_at IS NULL"), postgresql_where=text("dead_at IS NULL")),
)  # fmt: skip
