"""What a check found out: how an exercise went, and how each of its stages did.

Nothing here needs torch, so that a program can show a report that another process made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["passed", "failed", "not reached"]


@dataclass(frozen=True)
class Mistake:
    """A known wrong implementation: an id, and a sentence for whoever makes it."""

    id: str
    sentence: str


@dataclass(frozen=True)
class StageReport:
    """How one stage went, and a sentence for each thing that is wrong."""

    name: str
    status: Status
    sentences: tuple[str, ...] = ()
    by_probe: bool = False


@dataclass(frozen=True)
class Report:
    """How an exercise went.

    Attributes:
        mistake: the known mistake whose numbers these are.
        unfilled: the sentence that says what is not filled in, if that is all there is to say.
        stopped: the sentence that says why its call had no end, such as a loop, if it had none.
        ready_made: what it uses of torch that does what it is to do, as dotted names.
    """

    exercise: str
    stages: tuple[StageReport, ...]
    mistake: Mistake | None = None
    unfilled: str = ""
    stopped: str = ""
    ready_made: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many stages passed."""
        return sum(stage.status == "passed" for stage in self.stages)

    @property
    def failed(self) -> bool:
        """Whether anything is wrong, or had no end."""
        return bool(self.stopped) or any(stage.status == "failed" for stage in self.stages)

    @property
    def complete(self) -> bool:
        """Whether all stages passed, and nothing ready made was used."""
        told = self.unfilled or self.stopped or self.ready_made
        return not told and self.passed == len(self.stages)


def report_of(content: dict[str, Any]) -> Report:
    """The report of which `dataclasses.asdict` made `content`.

    Raises:
        KeyError, TypeError: it is no report's.
    """
    stages = tuple(
        StageReport(**{**stage, "sentences": tuple(stage["sentences"])})
        for stage in content["stages"]
    )
    mistake = Mistake(**content["mistake"]) if content["mistake"] else None
    ready_made = tuple(content.get("ready_made", ()))
    return Report(**{**content, "stages": stages, "mistake": mistake, "ready_made": ready_made})
