"""Every knob, its unit and its default. The environment is read once, here."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


def _knob(default: object, doc: str) -> typing.Any:  # what dataclasses.field itself is typed as
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation runs. Each field is read from YANGDI_<NAME>; deploy/env.example lists them all."""

    data_dir: Path = _knob(Path("var"), "folder of the database and the photos; must be on a local disk")
    database_url: str = _knob("", "postgresql://user@host/name; empty: SQLite in the data folder")
    secret_key: str = _knob("", "signs sessions; empty: made once and kept in the data folder")
    public_url: str = _knob("", "https://... as phones reach it; empty: as the request says")
    trust_proxy: bool = _knob(False, "true behind exactly one proxy of yours that sets X-Forwarded-*")
    host: str = _knob("127.0.0.1", "address that `yangdi serve` listens on")
    port: int = _knob(8000, "port that `yangdi serve` listens on")
    web_processes: int = _knob(2, "web processes; one for each core")
    web_threads: int = _knob(8, "threads in each web process: how many phones may be slow at once")
    embedded_worker: bool = _knob(True, "`yangdi serve` runs the worker too; false where `yangdi work` does")
    worker_batch: int = _knob(32, "jobs taken in one transaction")
    job_lease_s: int = _knob(60, "s after which a job of a dead worker is taken again")
    job_attempts: int = _knob(6, "tries before a job is set aside for a person")
    max_request_bytes: int = _knob(100_000_000, "bytes of one request; a larger one is answered 413")
    max_instance_bytes: int = _knob(10_000_000, "bytes of one instance's XML")
    accept_content_length: int = _knob(
        4_000_000, "bytes ODK Collect may put in one POST; small, so that a poor line loses little"
    )
    pull_page_bytes: int = _knob(
        1_000_000,
        "bytes of one page that a phone pulls, before compression; small, so that a poor line loses little",
    )
    max_photo_pixels: int = _knob(120_000_000, "pixels that a photo may have to be decoded for its thumbnail")
    default_locale: str = _knob("zh", "zh or en: language of who has not chosen")
    log_level: str = _knob("INFO", "DEBUG, INFO, WARNING or ERROR")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings from YANGDI_* variables. Raises ValueError that names the variable and what it should be."""
        env = os.environ if env is None else env
        hints = typing.get_type_hints(cls)
        values: dict[str, object] = {}
        for knob in fields(cls):
            name = f"YANGDI_{knob.name.upper()}"
            text = env.get(name)
            if text is None or text == "":
                continue
            try:
                values[knob.name] = _read(text, hints[knob.name])
            except ValueError as error:
                what = f"should be {hints[knob.name].__name__}; {knob.metadata['doc']}"
                raise ValueError(f"{name}={text!r}: {what}") from error
        return cls(**values)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """The database as SQLAlchemy names it."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'yangdi.db'}"
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def photo_dir(self) -> Path:
        """Folder of photos and other attachments, named by the SHA-256 of their bytes."""
        return self.data_dir / "photos"


def _read(text: str, kind: type) -> object:
    if kind is bool:
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    if isinstance(kind, types.UnionType):
        raise TypeError(f"no reading of {kind}")
    return kind(text)
