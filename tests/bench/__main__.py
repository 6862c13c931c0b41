"""`make bench` and `make bench-full`: every benchmark, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from tests.journeys import scbi


def main() -> int:
    """Run them; what is given on the command line goes to ingest. Returns the number of those that failed."""
    full = ["--full"] if "--full" in sys.argv else []
    wanted = [["tests.bench.ingest", *sys.argv[1:]], ["tests.bench.push"], ["tests.bench.pull"]]
    wanted.append(["tests.bench.checks", *full])
    if scbi.TABLE.exists():
        wanted.append(["tests.bench.validation", "--seeds", "3"])
    else:
        print(f"validation is left out, the reference data are absent: {scbi.TABLE}")
    return sum(
        subprocess.run([sys.executable, "-m", *words], check=False).returncode != 0 for words in wanted
    )


if __name__ == "__main__":
    sys.exit(main())
