"""The files that travel beside a form: are they at hand, and can the form select from them?

Pure: names and bytes in, faults and warnings out. Keeping them is the caller's work.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from forms.definition import Form
from forms.errors import Fault
from forms.xform import file_selects


def faults(xml: bytes, files: Mapping[str, bytes]) -> list[Fault]:
    """A fault for each column that a select reads and its CSV lacks, as far as the CSVs are among `files`."""
    found: list[Fault] = []
    for select in file_selects(xml):
        content = files.get(select.file)
        if content is None or not select.file.lower().endswith(".csv"):
            continue
        there = columns(content)
        found.extend(_lacking(select.file, column, there) for column in select.columns if column not in there)
    return list(dict.fromkeys(found))


def absent(form: Form, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """A warning for each file that the form expects and that is not among `files`."""
    return tuple(
        f"缺少文件 {name}，手机上将没有选项可选 / {name} is missing: phones will have nothing to choose from"
        for name in form.media
        if name not in files
    )


def columns(content: bytes) -> tuple[str, ...]:
    """The headings of a CSV without its byte order mark; empty where it has no first line or is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ()
    return tuple(heading.strip() for heading in next(csv.reader(io.StringIO(text)), []))


def _lacking(file: str, column: str, there: tuple[str, ...]) -> Fault:
    has = ", ".join(there) or "none that can be read (UTF-8?)"
    return Fault(
        file, 1, column, f"the form selects by the column {column}, but the file has {has}",
        f"add the column {column}, or name another one in `parameters` (value=... label=...)",
        f"调查表按 {column} 列选择，而文件的列是：{has}",
        f"在文件中加上 {column} 列，或在 `parameters` 中改用别的列（value=... label=...）",
    )  # fmt: skip
