"""Chinese and English pages: which one, the catalogue, and how moments and numbers are written.

Source strings are Chinese; the English ones stand in translations/en. The catalogue is read from its .po file at
the start of the app, so there is no compiled file that could be stale or missing from an installation.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, get_locale
from flask_babel import gettext as _gettext

from server.web import connection, session

LOCALES = ("zh", "en")
COOKIE = "yangdi_locale"
CATALOGS = Path(__file__).parent / "translations"
CHINA = timezone(timedelta(hours=8))  # one time for the whole country, without summer time since 1991


class _Catalogs(Domain):  # type: ignore[misc]  # flask-babel is untyped
    def get_translations(self) -> NullTranslations:
        return catalog(str(get_locale() or "zh"))


class _Pages(Babel):  # type: ignore[misc]
    domain_instance = _Catalogs()


@cache
def catalog(locale: str) -> NullTranslations:
    """The translations of a locale; Chinese is the source and needs none."""
    path = CATALOGS / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale))
    compiled.seek(0)
    return Translations(compiled)


def set_up(app: Flask) -> None:
    """Give the app's templates two languages and our ways of writing."""
    _Pages(app, default_locale="zh", locale_selector=locale)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # flask-babel's own look for .mo files
        gettext=lambda s: catalog(locale()).gettext(s),
        ngettext=lambda s, p, n: catalog(locale()).ngettext(s, p, n),
        pgettext=lambda c, s: catalog(locale()).pgettext(c, s),
        npgettext=lambda c, s, p, n: catalog(locale()).npgettext(c, s, p, n),
        newstyle=True,
    )
    app.jinja_env.filters.update(moment=moment, day=day, ago=ago, number=number, signed=signed)


def locale() -> str:
    """ "zh" or "en": what she chose, else what this browser chose, else the house's default."""
    if not has_request_context():
        return "zh"
    someone = session.person_or_none()
    chosen = someone.locale if someone else request.cookies.get(COOKIE, "")
    return chosen if chosen in LOCALES else connection.settings().default_locale


def gettext(source: str, **values: object) -> str:
    """A Chinese sentence of ours in the reader's language, filled in. Imported as `_` where it is used."""
    return str(_gettext(source, **values))


def moment(at_ms: int | None) -> str:
    """Milliseconds since 1970 as 2026-11-22 15:40, China's time; "" for None."""
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
        if at_ms
        else ""
    )


def day(at_ms: int | None) -> str:
    """The same, day only."""
    return moment(at_ms)[:10]


def ago(at_ms: int | None) -> str:
    """How long ago a moment was, in words: 3 小时前; "" for None. A moment to come is now: clocks differ a little."""
    if at_ms is None:
        return ""
    passed = timedelta(milliseconds=max(connection.now_ms() - at_ms, 0))
    if passed < timedelta(minutes=1):
        return gettext("刚刚")
    # 9 days are 9 days, not one week
    return format_timedelta(-passed, granularity="minute", threshold=2, add_direction=True, locale=locale())


def number(value: float | None, decimals: int = 1) -> str:
    """A number with so many decimals, a true minus; "" for None."""
    return "" if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def signed(value: Any, decimals: int = 1) -> str:
    """A number with its sign, a true minus; one that rounds to nothing has none; "" for None."""
    if value is None:
        return ""
    return f"{value:+.{decimals}f}".replace("-", "−") if round(value, decimals) else f"{0:.{decimals}f}"
