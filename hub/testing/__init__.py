"""The connector kit: the bar that every connector passes, ours and strangers'. Docs: ``docs/connectors.md``.

To run it over your own package's connectors, three lines of pytest are enough::

    from hub.testing import connector_cases
    @pytest.mark.parametrize("case", connector_cases("acme"), ids=str)
    def test_connector(case): case()

Your package must be installed, with an entry point in the group ``conversion_hub.connectors``. Failures say in words
what is missing. ``python -m hub.testing.expect acme`` proposes the expectation of each sample, for you to check by eye;
``python -m hub.testing.sign acme NAME`` signs a sample anew after its body was edited.
"""

from __future__ import annotations

from hub.connecting.registry import registry
from hub.testing import destination_checks, folder_checks, question_checks, reading_checks, verification_checks
from hub.testing.subject import Case, Check, RoleOrAny, cases

__all__ = ["CHECKS", "Case", "connector_cases"]

_ANY = (*folder_checks.CHECKS, *question_checks.CHECKS)
_SOURCE = (*reading_checks.CHECKS, *verification_checks.CHECKS, *question_checks.SOURCE_CHECKS)

CHECKS: tuple[tuple[RoleOrAny, Check], ...] = (
    *(("any", check) for check in _ANY),
    *(("source", check) for check in _SOURCE),
    *(("destination", check) for check in destination_checks.CHECKS),
)


def connector_cases(*slugs: str) -> list[Case]:
    """Every check of the named connectors (all that are installed when none is named), ready to be called in a test."""
    return [case for slug in slugs or registry().slugs() for case in cases(CHECKS, slug)]
