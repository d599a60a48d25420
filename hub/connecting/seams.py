"""The one rule where connector code is called: whatever it raises becomes an error with a reason, for that call alone.

It has one exception: :class:`TimeLimit` is about the job, so it passes through every seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.contract.connector import Connector
from hub.contract.errors import ConnectorBroken, HubError

# What a naive connector raises on a message of another form than it was written for.
NAIVE = (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError, RecursionError)


class TimeLimit(BaseException):
    """The job's time is up. This is never a verdict about a message, a record or a connection.

    It is no Exception, so that it passes through each ``except Exception``, ours and the connectors'. Who catches it
    keeps what is known by then, leaves the rest waiting, and raises it again.
    """


@contextmanager
def guarded(connector: Connector, doing: str) -> Iterator[None]:
    """Run connector code in this block. Raises ConnectorBroken for whatever it raises that is no HubError.

    An error of our own database passes as it is: it says nothing about the connector that was called when it happened.
    ``doing`` ends the sentence "The connector … failed while …", as in "preparing the destination".
    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        if is_of_our_database(error):
            raise
        raise broken(connector, doing, error) from error


def is_of_our_database(error: Exception) -> bool:
    """Whether it says something about the hub itself, and nothing about the connector that was called."""
    from sqlalchemy.exc import (
        SQLAlchemyError,
    )  # imported when it is needed: small commands do without the large libraries

    return isinstance(error, SQLAlchemyError)


def broken(connector: Connector, doing: str, error: Exception) -> ConnectorBroken:
    """What ``error``, raised by connector code, is for people: whose fault it is, and what to do."""
    return ConnectorBroken(
        f"The connector {connector.name} failed while {doing}. This is a fault of the connector: report it, and try "
        "again after an update.",
        detail=where(error),
    )


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
