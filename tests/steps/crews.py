"""What crews and those who audit them send, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.demo.instance import Renderer
from tests.phone import Part, Phone, form, new_id, plot_visit, tree, xml_part

HOUR_MS = 3_600_000
MORNING = 1_780_272_000_000


def stand(trees: int = 60, add_cm: float = 0.0, step: float = 0.3) -> list[dict[str, str]]:
    """Trees whose last digits are as even as chance makes them, `add_cm` larger."""
    return [tree(str(n), f"{8.0 + n * step + n % 7 / 10 + add_cm:.1f}") for n in range(1, trees + 1)]


def heaped(trees: int = 60) -> list[dict[str, str]]:
    """Trees that were read to half a centimetre."""
    return [tree(str(n), f"{8.0 + n / 2:.1f}") for n in range(1, trees + 1)]


def log_of(trees: int, gap_s: float, begin: int = MORNING, reason: str = "") -> bytes:
    """The log of a form in which a tree was entered every `gap_s` seconds."""
    lines = ["event,node,start,end,old-value,new-value,change-reason", f"form start,,{begin},,,,"]
    for n in range(1, trees + 1):
        end = begin + round(1000 * gap_s * n)
        lines += [
            f"question,/data/trees/tree[{n}]/stem/{name},{end - 3000},{end},,1," for name in ("tag", "dbh_cm")
        ]
    lines.append(f"change reason,,{begin},,,,{reason}")
    return "\n".join(lines).encode()


def send(phone: Phone, trees: Sequence[Mapping[str, str]], log: bytes | None = None, **about: Any) -> str:
    """A plot visit, with the log of its phone where there is one; its instance id."""
    instance_id = new_id()
    parts = [xml_part(plot_visit(instance_id, trees=trees, **about))]
    if log is not None:
        parts.append(Part("audit.csv", log, "audit.csv", "text/csv"))
    assert phone.post(parts).status_code == 201
    return instance_id


def send_audit(phone: Phone, trees: Sequence[Mapping[str, str]], why: str = "random", plot_id: str = "PS-001",
               on: str = "2026-06-10", deprecated_id: str | None = None) -> str:  # fmt: skip
    """An audit visit of a plot; its instance id."""
    instance_id = new_id()
    about = {"kind": "audit", "census": "2026", "measured_on": on, **({"audit_kind": why} if why else {})}
    rows = {"plot": [{"plot_id": plot_id}], "visit": [about], "tree": trees}
    xml = Renderer(form("audit_visit").form).render(rows, instance_id, deprecated_id=deprecated_id)
    assert phone.post([xml_part(xml)]).status_code == 201
    return instance_id
