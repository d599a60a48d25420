"""What every command shares: errors that people can fix are said in a sentence, without a stack trace."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import click

from hub.contract.errors import ConfigError, HubError
from hub.steer.errors import Invalid, NotFound

P = ParamSpec("P")


class Misconfigured(click.ClickException):
    """Said in one sentence, with exit code 2."""

    exit_code = 2


def in_words(command: Callable[P, Any]) -> Callable[P, Any]:
    """Turn the errors that people can do something about into one sentence and exit code 2."""

    @functools.wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> Any:
        try:
            return command(*args, **options)
        except (ConfigError, HubError, Invalid, NotFound) as error:
            raise Misconfigured(str(error)) from None

    return run
