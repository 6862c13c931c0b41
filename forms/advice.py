"""What makes a form slow or unsure on a phone, told to its author before it is published.

Advice, not faults: the form works. Each piece of it was measured on form engines with a plot of 60 to 200 trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from forms.definition import Form
from forms.xform import Document

_BARE_EXTREME = re.compile(r"\b(max|min)\(\s*(/[\w./-]+)\s*\)")


def advice(form: Form, xml: bytes) -> tuple[str, ...]:
    """Sentences for the author, Chinese and English in each; empty where there is nothing to say."""
    document = Document.of(xml)
    return (*_crowded(form), *_files_in_repeats(form, document), *_slow_formulas(form, document))


def _crowded(form: Form) -> Iterator[str]:
    """Adding a row to a repeat that shares its group with questions costs many times the time."""
    for repeat in form.repeats:
        parent = repeat.rsplit("/", 1)[0]
        if any(
            q.path.startswith(f"{parent}/") and not q.path.startswith(f"{repeat}/") for q in form.questions
        ):
            name = repeat.rsplit("/", 1)[-1]
            yield (
                f"重复组 {name} 外面最好单独套一个组，行数多时手机才不慢"
                f" / put the repeat {name} into a group of its own: with many rows phones stay quick"
            )


def _files_in_repeats(form: Form, document: Document) -> Iterator[str]:
    for path, control in document.controls.items():
        if _inside(form, path) and any(document.file_select(control)):
            name = path.rsplit("/", 1)[-1]
            yield (
                f"{name} 在重复组里逐行从文件取选项，行数多时手机会慢"
                f" / {name} reads its choices from a file in every row of a repeat: phones get slow"
            )


def _slow_formulas(form: Form, document: Document) -> Iterator[str]:
    for path, formula in document.formulas():
        name = path.rsplit("/", 1)[-1]
        if _inside(form, path) and "indexed-repeat(" in formula:
            yield (
                f"{name} 在重复组里逐行使用 indexed-repeat，行数多时手机会慢"
                f" / {name} uses indexed-repeat in every row of a repeat: phones get slow"
            )
        for match in _BARE_EXTREME.finditer(formula):
            if _inside(form, match[2]):
                yield (
                    f"{name} 的 {match[1]}() 会把没填的行算进去，有的手机得出 NaN；请加条件，如 [. != '']"
                    f" / {name}: {match[1]}() takes blank rows too, and some phones make NaN of it;"
                    " add a condition such as [. != '']"
                )


def _inside(form: Form, path: str) -> bool:
    return any(path.startswith(f"{repeat}/") for repeat in form.repeats)
