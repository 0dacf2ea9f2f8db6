"""The sandboxed worker, see `serve`.

python -P -s -m rnncourse.grading.worker sandboxed|plain
"""

from __future__ import annotations

import gc


def main() -> None:
    """Load what a worker needs, and serve."""
    gc.disable()  # all that is made until `serve` begins stays
    from .serve import main

    main()


if __name__ == "__main__":
    main()
