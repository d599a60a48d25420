"""Senders that sign with RSA and name their certificate in a header. The hub fetches it from their domain, or asks them.

A connector adds to :class:`CertifiedHeaders` what differs, and its ``verify`` says what may be signed for:

    delivery = AcmeHeaders.read(inbound.headers)
    delivery.check(inbound.received_at, settings["tolerance"])
    yield from delivery.check_signature([settings["account"]], inbound.body, settings["pem"], inbound.received_at)
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import uuid4

from hub.contract.calls import Call, Recipe, Reply
from hub.contract.errors import NotVerified
from hub.contract.inbound import Headers
from hub.toolkit.dates import parse_time
from hub.toolkit.signing import require_header

# hub.toolkit.certificates is costly to load, so it is imported when needed

ALGORITHM = "SHA256withRSA"  # pinned: the sender must not choose how it is checked
FUTURE = 300  # seconds a delivery may seem to come from the future


@dataclass(frozen=True)
class CertifiedHeaders(ABC):
    """What the headers say about one delivery. ``time`` is a date in ISO 8601, ``signature`` base64.

    A connector declares ``header_names``, in the order of the fields; ``domain``, under which the sender publishes its
    certificates and to which they are made out; ``test_certificate_url``, an address there for test messages, from which
    nothing is fetched; and ``message``. Declare ``signs_time = True`` on the source with it.
    """

    id: str
    time: str
    signature: str
    certificate_url: str
    algorithm: str

    header_names: ClassVar[tuple[str, ...]]
    domain: ClassVar[str]
    test_certificate_url: ClassVar[str]

    @abstractmethod
    def message(self, receiver: str, body: bytes) -> bytes:
        """What is signed when the delivery is meant for ``receiver``, the sender's name for who gets it.

        The id, the time and ``body`` must all be in it, or what is left out could be forged.
        """

    @classmethod
    def read(cls, headers: Headers) -> Self:
        """The headers of this delivery. Raises NotVerified when one is missing."""
        return cls(*(require_header(headers, name) for name in cls.header_names))

    def check(self, now: datetime, tolerance: int) -> None:
        """Raise NotVerified when it is too old, from the future, signed otherwise, or names somebody else's certificate.

        ``tolerance``: how old it may be, in seconds. This is not yet the signature: see :meth:`check_signature`.
        """
        from hub.toolkit.certificates import check_address

        sent = parse_time(self.time)
        if sent is None:
            raise NotVerified("The time of the transmission cannot be read.")
        age = (now - sent).total_seconds()
        if not -FUTURE <= age <= tolerance:
            raise NotVerified(
                f"The transmission was signed at {self.time}: too far from now. If it is genuine, check the clocks.",
                reason="signature_from_future" if age < 0 else "signature_too_old",
            )
        if self.algorithm != ALGORITHM:
            raise NotVerified(f"Only {ALGORITHM} signatures are accepted.", detail=self.algorithm[:100])
        check_address(self.certificate_url, self.domain)

    def check_signature(self, receivers: Sequence[str], body: bytes, pinned: str, at: datetime) -> Recipe:
        """Check it with the ``pinned`` certificate (PEM), or, if that is empty, with the sender's if public roots vouch.

        One of ``receivers`` must have been signed for. Raises NotVerified, also when there are none or one is empty.
        """
        from hub.toolkit.certificates import check_dates, check_rsa_sha256, fetch_certificate, read_certificates

        if not receivers or not all(receivers):
            raise NotVerified("Nothing is set on this source that the sender signs for.", reason="secret_not_set")
        if pinned:
            certificate = read_certificates(pinned.encode())[0]
            check_dates(certificate, at)
        else:
            certificate = yield from fetch_certificate(self.certificate_url, self.domain, at)
        *others, last = receivers
        for receiver in others:
            with suppress(NotVerified):
                return check_rsa_sha256(self.message(receiver, body), self.signature, certificate)
        return check_rsa_sha256(self.message(last, body), self.signature, certificate)

    @classmethod
    def make(cls, receiver: str, body: bytes, at: datetime, key: bytes) -> dict[str, str]:
        """The headers of a test message, signed with a throw-away ``key`` (PEM) whose certificate the source trusts."""
        from hub.toolkit.certificates import make_rsa_sha256

        sent = cls(str(uuid4()), at.strftime("%Y-%m-%dT%H:%M:%SZ"), "", cls.test_certificate_url, ALGORITHM)
        signed = replace(sent, signature=make_rsa_sha256(sent.message(receiver, body), key))
        return dict(zip(cls.header_names, astuple(signed), strict=True))


def ask_sender(call: Call, name: str, yes: str) -> Recipe:
    """Ask the sender whether a message is its own: it is, if the answer is a JSON object whose ``name`` says ``yes``.

    Anything else, refusals and failures of the sender's among them, raises NotVerified.
    """
    reply: Reply = yield call
    verdict = reply.json() if reply.ok else None
    if not isinstance(verdict, dict) or verdict.get(name) != yes:
        raise NotVerified("The sender does not say that it sent this message.", detail=f"HTTP {reply.status}")


def with_message(fields: Mapping[str, Any], name: str, body: bytes) -> bytes:
    """The JSON object ``fields`` (at least one) with the received ``body`` under ``name``, byte for byte as it came.

    For questions about a sender's own message: re-written JSON never verifies. Raises NotVerified unless ``body`` is one
    JSON object: anything more in it could change the question.
    """
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise NotVerified("The message is not one JSON object, so its sender cannot be asked about it.")
    return json.dumps(fields).encode()[:-1] + b", " + json.dumps(name).encode() + b": " + body + b"}"
