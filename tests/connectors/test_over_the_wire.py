"""Every destination's samples through the hub's own sender, to vendors' servers that ``responses`` stands in for."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
from rows import connection_row

from hub.connecting.connected import Connected
from hub.connecting.masking import secrets_of
from hub.connecting.registry import registry
from hub.contract import Call, Headers, Recipe, Reply
from hub.contract.auth import Auth, MailServer
from hub.outgoing import grants, reply_cache
from hub.outgoing.exchange import Exchange
from hub.outgoing.sender import Sender
from hub.testing.destination_checks import outcomes, rehearse
from hub.testing.samples import Outgoing
from hub.testing.subject import subject

SLUGS = [slug for slug in registry().slugs() if "destination" in registry().roles(slug)]
OVER_HTTP = [slug for slug in SLUGS if not isinstance(registry().destination(slug).auth, MailServer)]
A_TOKEN = "granted-for-this-test"
ANYWHERE = re.compile(".*")


@pytest.mark.parametrize("slug", OVER_HTTP)
def test_what_a_sample_expects_is_what_leaves_the_hub(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants._Grant, "token", lambda _: A_TOKEN)
    names_itself = type(subject(slug).destination.auth) is not Auth  # else nothing, or a key in the body
    for sample in subject(slug).outgoing:
        reply_cache.forget_here()
        with _Vendor(slug, sample) as vendor:
            run = rehearse(subject(slug), sample, vendor.answer)
        assert outcomes(run) == outcomes(rehearse(subject(slug), sample)), sample.name
        for call, request in vendor.exchanges:
            sent, planned = urlsplit(request.url or ""), urlsplit(call.url)
            assert (request.method, sent[:3]) == (call.method, planned[:3])
            assert (
                dict(parse_qsl(sent.query)).items()
                >= (dict(parse_qsl(planned.query)) | dict(call.params or {})).items()
            )
            assert (request.body or b"") == call.content()[0]
            assert vendor.knows(request) or not (names_itself and call.authenticate)
        assert not [secret for secret in (*vendor.secrets, A_TOKEN) if secret in str(vendor.talk.calls)]


class _Vendor:
    """Answers what the sample says the platform answers, and keeps what it was sent."""

    def __init__(self, slug: str, sample: Outgoing) -> None:
        destination, settings = subject(slug).destination, subject(slug).settings("destination")
        row = connection_row(f"wire-{slug}", name=slug)
        self.secrets = secrets_of(destination, settings)
        self.exchanges: list[tuple[Call, requests.PreparedRequest]] = []
        self.talk = Exchange()
        self._connected = Connected(row, destination, settings)
        self._replies = iter(sample.replies)
        self._sender = Sender()
        self._mock = responses.RequestsMock(target="hub.outgoing.adapter.GuardedAdapter.send")

    def __enter__(self) -> _Vendor:
        self._mock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._mock.stop(allow_assert=False)
        self._sender.close()

    def answer(self, call: Call) -> Reply:
        """The reply to one call, which travels through the sender."""

        given = next(self._replies, Reply(200, Headers(), b"{}"))

        def reply(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
            self.exchanges.append((call, request))
            return given.status, dict(given.headers), given.body

        def alone() -> Recipe:
            return (yield call)

        self._mock.reset()
        self._mock.add_callback(call.method, ANYWHERE, reply)
        answered: Reply = self._sender.run(self._connected, alone(), self.talk)
        return answered

    def knows(self, request: requests.PreparedRequest) -> bool:
        """Whether the request shows who it comes from: by a header, in its address, or by a signature."""
        named = {"authorization", "webhook-signature", "x-api-key", "api-key"}
        shown = f"{request.url} {' '.join(map(str, request.headers.values()))}"
        return bool(named & {name.lower() for name in request.headers}) or any(one in shown for one in self.secrets)
