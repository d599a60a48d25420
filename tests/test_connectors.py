"""The connector kit over every connector: ``pytest tests/test_connectors.py -k acme`` runs one."""

import pytest

from hub.testing import Case, connector_cases


@pytest.mark.parametrize("case", connector_cases(), ids=str)
def test_connector(case: Case) -> None:
    case()
