"""Measures plain nbgrader and this grader on the same class, and prints what a submission costs."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from tools.bench.bench import Bench, Sizes
from tools.bench.measure import FailedError
from tools.demonstration.learners import ROOT


def main() -> None:
    """Run what the options ask for, and print and store the table."""
    options = _options()
    folder: Path = options.folder
    sizes = Sizes(options.plain, options.engine, options.whole, options.single, options.scale)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        text = Bench(folder, options.workers, options.seed).run(sizes)
        (folder / "bench.txt").write_text(text, encoding="utf-8")
        print(text, end="")
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is left running.")
    except FailedError as error:
        sys.exit(str(error))
    finally:
        if not options.keep:
            for path in folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)


def _options() -> argparse.Namespace:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    for name, size, text in (
        ("plain", 60, "submissions for plain nbgrader"),
        ("engine", 1000, "submissions for this grader"),
        ("whole", 6, "for plain nbgrader with the notebook's demonstrations; 0 leaves it out"),
        ("single", 200, "for this grader with one worker; 0 leaves it out"),
        ("scale", 0, "for a long run of this grader, such as 10000"),
        ("workers", cores, "of this grader: how many submissions it runs at a time"),
        ("seed", 1, "which class"),
    ):
        parser.add_argument(f"--{name}", type=int, default=size, help=f"{text} ({size})")
    parser.add_argument("--folder", type=Path, default=ROOT / "_build" / "bench")
    parser.add_argument("--keep", action="store_true", help="keep the course folders")
    options = parser.parse_args()
    if min(options.plain, options.engine, options.workers) < 1:
        parser.error("--plain, --engine and --workers take at least 1.")
    return options


if __name__ == "__main__":
    main()
