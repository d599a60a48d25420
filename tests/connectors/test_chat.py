"""Chat channels: what samples cannot say."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from hub.connecting.registry import registry
from hub.contract.vocabulary import Kind, Stage
from hub.toolkit.chat import LONGEST, TITLES, Alert, ChatChannel

LONG = Alert("💰", "Test: " + max((words.fr for _, words in TITLES.values()), key=len), ("x*" * (LONGEST // 2),) * 7)


def channel(slug: str) -> ChatChannel:
    found = registry().destination(slug)
    assert isinstance(found, ChatChannel)
    return found


def test_every_stage_and_kind_has_its_words() -> None:
    assert set(TITLES) == set(Stage) | (set(Kind) - {Kind.CONVERSION, Kind.CONTACT})


def test_ten_long_lines_fit_into_one_discord_message() -> None:
    content = channel("discord").message([LONG] * 10)["content"]
    assert len(content) <= 2000
    assert content.count("\n") == 9


def test_an_old_teams_connector_is_refused_with_what_to_do() -> None:
    settings = channel("teams").Settings()
    with pytest.raises(ValidationError, match="workflow"):
        settings.load({"hook_url": "https://acme.webhook.office.com/webhookb2/1"})
