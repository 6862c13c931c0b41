"""One phone as a process: `python -m tests.outbox_phone --server URL --key KEY --folder F --plots 1-20`.

It saves the plots of these numbers, sends all that its folder holds, pulls, and says what it knows. Killed at any
moment and started again with the same words, it goes on from its disk.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.outbox_phone.phone import OutboxPhone
from tests.torture.plots import plot


def main() -> int:
    """Exit status 0: nothing is left in the outbox."""
    asked = _arguments()
    with OutboxPhone(asked.server, asked.key, asked.project, asked.folder, seed=asked.seed) as phone:
        for number in _numbers(asked.plots):
            one = plot(number)
            phone.save("plot_visit", one.instance_id, one.xml, one.photos)
            print(json.dumps({"saved": one.instance_id}), flush=True)
        phone.send()
        phone.pull_patiently()
        left = phone.outbox.pending_count() + len(phone.outbox.photos_waiting())
        known = {kind: len(phone.known.all(kind)) for kind in ("plot", "trees", "rework")}
        print(json.dumps({"left": left, "known": known}), flush=True)
        return 1 if left else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.outbox_phone", description=__doc__)
    parser.add_argument("--server", required=True, help="http://host:port")
    parser.add_argument("--key", required=True, help="the phone's key")
    parser.add_argument("--project", type=int, default=1)
    parser.add_argument("--folder", type=Path, required=True, help="where the phone keeps its outbox")
    parser.add_argument("--plots", default="", help="numbers of the plots to save first: 1-20")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1) if text else range(0)


if __name__ == "__main__":
    sys.exit(main())
