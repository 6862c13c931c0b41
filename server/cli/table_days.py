"""Days as tables write them: 2024-06-01, 2024年6月1日, 20240601, 13.07.2023, 7/13/2023, 13-Jul-2023, a year alone.

Which of 3/4/2024 is the month only the rest of a column can tell (`is_day_first`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
EXCEL_DAYS = range(20_000, 60_000)
"""Days since 30 December 1899, as Excel keeps 1954 to 2064."""


CHINA = timezone(timedelta(hours=8))
"""The zone of a moment that names none."""


def moment_of(text: str) -> datetime:
    """A moment like 2024-06-01 08:30:15, or as cameras write it (2024:06:01), in the zone it names, else in none.

    Raises ValueError, for a day without a time as well."""
    if not re.search(r"\d{1,2}:\d\d$|\d:\d\d\D", text):
        raise ValueError(text)
    return datetime.fromisoformat(re.sub(r"^(\d{4})[:/](\d\d)[:/]", r"\1-\2-", text.strip()))


def moment_ms(text: str) -> int:
    """The same in ms since 1970 UTC."""
    at = moment_of(text)
    return round((at if at.tzinfo else at.replace(tzinfo=CHINA)).timestamp() * 1000)


@lru_cache(maxsize=4096)
def day_of(text: str, *, day_first: bool | None = None) -> date:
    """The day; of a year alone its middle, of a month its 15th. `day_first` decides about 3/4/2024.

    Raises ValueError for what is no day, or may be two.
    """
    first = re.split(r"[T ](?=\d{1,2}:)", text.strip(), maxsplit=1)[0]
    named = re.fullmatch(r"(\d{1,2})[-\s/.]*([A-Za-z]{3})[a-z]*[-\s/.,]*(\d{4})", first)
    if named and named[2].lower() in MONTHS:
        return date(int(named[3]), MONTHS[named[2].lower()], int(named[1]))
    parts = [int(part) for part in re.findall(r"\d+", first.removesuffix(".0"))]
    if len(parts) == 1:
        return _of_one(parts[0])
    if parts and parts[0] > 31:
        year, month, day = parts if len(parts) == 3 else (*parts, 15)
        return date(year, month, day)
    one, other, year = parts
    return date(year, *_month_and_day(first, one, other, day_first))


def _of_one(number: int) -> date:
    if number in EXCEL_DAYS:
        return date(1899, 12, 30) + timedelta(days=number)
    if number > 10_000_000:
        return date(number // 10_000, number // 100 % 100, number % 100)
    return date(number, 7, 1)  # only the year is known: its middle


def _month_and_day(text: str, one: int, other: int, day_first: bool | None) -> tuple[int, int]:
    if "." in text or one > 12:  # with points a day is written first everywhere
        return other, one
    if other > 12 or one == other:
        return one, other
    if day_first is None:
        raise ValueError(text)
    return (other, one) if day_first else (one, other)


def is_day_first(texts: Iterable[str]) -> bool | None:
    """Do the days of a column begin with the day (13/7/2023) or the month (7/13/2023)? None: nothing tells."""
    for text in texts:
        found = re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}", text.strip())
        if found and (int(found[1]) > 12) != (int(found[2]) > 12):
            return int(found[1]) > 12
    return None
