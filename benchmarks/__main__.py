"""``python -m benchmarks [intake] [deliveries] [whole] [calm]``: measure, and say which goals are met. Exit 1: not all."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import calm, deliveries, intake, whole
from benchmarks.ground import CORES, ROUNDS, Report

PARTS = {"intake": intake.run, "deliveries": deliveries.run, "whole": whole.run, "calm": calm.run}


def main() -> None:
    print(f"{len(CORES)} cores, {ROUNDS} rounds each, interleaved; medians")
    report = Report()
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            PARTS[name](report, Path(folder))
    raise SystemExit(1 if report.missed else 0)


if __name__ == "__main__":
    main()
