"""Secrets in what people are shown: whatever form they have there, none is readable."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest

from hub.connecting.masking import MASK, mask_for, secrets_of
from hub.contract import Call, Category, Destination, Secret, Secrets, SecretUrl, SettingsSchema, Text
from hub.outgoing import exchange

LABEL = Text("Key", "Clé")
SECRET = 'a+b/c="d é'


class Keys(SettingsSchema):
    api_key = Secret(LABEL)
    secret = Secrets(LABEL)
    hook_url = SecretUrl(LABEL)


class Acme(Destination):
    slug, name, category = "acme", "Acme", Category.GENERIC
    Settings = Keys


SETTINGS = {"api_key": SECRET, "secret": ["first_secret", "old"], "hook_url": "https://hooks.example.com/T0/B0/xyz"}


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        urlencode({"key": SECRET}),
        json.dumps({"key": SECRET}),
        b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_found_in_every_form_it_may_have(written: str) -> None:
    shown = mask_for(Acme(), SETTINGS)(f"before {written} after")
    assert MASK in shown
    assert "before" in shown
    assert written not in shown


def test_json_is_masked_in_keys_and_values_and_of_a_secret_address_the_host_stays() -> None:
    value = {"url": SETTINGS["hook_url"], "list": ["first_secret", 1, None], "first_secret": True}
    shown = mask_for(Acme(), SETTINGS)(value)
    assert shown == {"url": f"https://hooks.example.com/{MASK}", "list": [MASK, 1, None], MASK: True}


def test_words_as_short_as_old_stay_and_other_texts_may_be_named() -> None:
    assert "old" not in secrets_of(Acme(), SETTINGS)
    assert mask_for(Acme(), SETTINGS, ["client-id", "id"])("old client-id id") == f"old {MASK} id"


def test_what_is_kept_of_a_call_shows_no_secret_that_an_address_carries_encoded() -> None:
    """The connector puts the key into the address itself; encoded, it was kept in clear in the delivery's story."""
    call = Call.get("https://api.example.com/me", params={"key": SECRET})
    mask: Any = mask_for(Acme(), SETTINGS)
    shown = exchange._shown_call(call, b"", mask)
    assert quote_plus(SECRET) not in shown["url"]
    assert shown["url"] == f"https://api.example.com/me?key={MASK}"
