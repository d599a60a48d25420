"""What the samples of outgoing webhooks cannot show: the signature, the settings, receivers without one."""

from __future__ import annotations

import time

import pytest
from marshmallow import ValidationError
from platforms import Platform, record
from standardwebhooks.webhooks import Webhook as Verifier

from connectors.webhook.destination import Webhook
from hub.contract import BadCredentials, Gone, Kind, TryLater
from hub.toolkit.signing import new_whsec, sign_standard

URL = {"url": "https://receiver.example/hook"}


def test_a_receiver_that_follows_the_specification_verifies_what_is_sent():
    secret = new_whsec()
    platform = Platform(Webhook(), URL | {"secret": [secret]})
    platform.deliver(record({"id": "r1", "contact": {"first_name": "Zoë"}}))
    [call] = platform.calls
    body, _ = call.content()
    now = int(time.time())
    headers = sign_standard(call.idempotency_key, now, body, platform.settings["secret"])
    assert Verifier(secret).verify(body.decode(), headers)["data"]["contact"] == {"first_name": "Zoë"}


def test_generated_secrets_are_accepted_by_the_settings_and_differ():
    secrets = [new_whsec(), new_whsec()]
    assert secrets[0] != secrets[1]
    assert Webhook.Settings().load(URL | {"secret": "\n".join(secrets)})["secret"] == secrets


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "plain"])
def test_a_weak_or_malformed_secret_is_not_accepted(secret):
    with pytest.raises(ValidationError) as caught:
        Webhook.Settings().load(URL | {"secret": [secret]})
    assert list(caught.value.messages) == ["secret"]


@pytest.mark.parametrize(
    ("header", "token", "named"),
    [
        ("X-Token", "", "plain_token"),
        ("", "secret", "plain_header"),
        ("Host", "secret", "plain_header"),
        ("webhook-signature", "secret", "plain_header"),
        ("X Token", "secret", "plain_header"),
        ("X-Token", "two\nlines", "plain_token"),
    ],
)
def test_a_password_header_that_would_break_or_forge_the_request_is_not_accepted(header, token, named):
    with pytest.raises(ValidationError) as caught:
        Webhook.Settings().load(URL | {"plain_header": header, "plain_token": token})
    assert list(caught.value.messages) == [named]


def test_the_password_header_is_added_by_the_hub_and_never_in_the_call():
    platform = Platform(Webhook(), URL | {"plain_header": "X-Token", "plain_token": "open-sesame"})
    platform.deliver(record({"id": "r1"}))
    headers: dict[str, str] = {}
    Webhook.auth.apply(platform.settings, headers, {})
    assert headers == {"X-Token": "open-sesame"}
    assert "open-sesame" not in repr(platform.calls)


def test_nothing_is_sent_unsigned_and_without_password():
    platform = Platform(Webhook(), URL)
    with pytest.raises(BadCredentials):
        platform.deliver(record({"id": "r1"}))
    assert platform.calls == []


def test_the_message_id_holds_no_dot_and_is_the_same_in_every_try():
    platform = Platform(Webhook(), URL | {"secret": [new_whsec()]})
    for _ in range(2):
        platform.deliver(record({"id": "r1"}, id="stripe.evt.1"))
    first, second = (call.idempotency_key for call in platform.calls)
    assert first == second
    assert "." not in first


def test_every_stage_and_kind_has_a_type_of_its_own():
    platform = Platform(Webhook(), URL | {"secret": [new_whsec()]})
    chosen = [(Kind.CONVERSION, stage) for stage in Webhook.stages]
    for kind, stage in chosen + [(kind, None) for kind in Kind if kind is not Kind.CONVERSION]:
        platform.deliver(record({"id": "r1"}, kind=kind, stage=stage))
    types = [body["type"] for body in platform.sent]
    assert len(set(types)) == len(types) == 13


@pytest.mark.parametrize(("status", "error"), [(410, Gone), (302, TryLater), (502, TryLater), (429, TryLater)])
def test_a_receiver_is_gone_only_when_it_says_so(status, error):
    with pytest.raises(error):
        Platform(Webhook(), URL | {"secret": [new_whsec()]}, (status, {})).deliver(record({"id": "r1"}))
