"""What a transform is: data that the web page can draw, and a factory of a pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text

Step = Callable[[Any, Json], Any]
"""From a present value (and the mapping's input, for its currency) to the next value; None means missing."""


@dataclass(frozen=True)
class Argument:
    """One thing a transform can be told. ``default`` is what it does when told nothing."""

    name: str
    label: Text
    type: Literal["text", "integer", "number", "choice", "currency", "time_zone", "constant"] = "text"
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    least: int = 0  # of an integer
    most: int = 1000


@dataclass(frozen=True)
class Transform:
    """One entry of the closed list.

    ``takes`` is what the value is turned into first; given a list, a transform that takes a single thing is done to
    each element. ``make`` gets the arguments in their declared order and returns the step.
    """

    name: str
    label: Text
    help: Text
    takes: Literal["text", "number", "time", "list", "any", "missing"]
    make: Callable[..., Step]
    arguments: tuple[Argument, ...] = ()
