"""What connector code may trip over, and where it did."""

from __future__ import annotations

from pathlib import Path

# What a naive connector raises on a message of another form than it was written for.
NAIVE = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)


def where(error: BaseException) -> str:
    """The error and the place in the connector where it was raised, for the log."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    place = ""
    if step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        place = f" at {file.parent.name}/{file.name}:{step.tb_lineno}"
    return f"{type(error).__name__}: {str(error)[:200]}{place}"
