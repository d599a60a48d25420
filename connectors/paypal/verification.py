"""PayPal's signature: checked here with its certificate, or by PayPal itself.

Sources: developer.paypal.com/api/rest/webhooks/rest; paypal/PayPal-Python-SDK paypalrestsdk/notifications.py;
paypal/paypal-rest-api-specifications openapi/notifications_webhooks_v1.json.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Self
from uuid import uuid4

from hub.contract import Call, Headers, NotVerified, Recipe, Reply
from hub.contract.dates import parse_time
from hub.contract.signing import require_header

# hub.contract.certificates is costly to load, so it is imported when needed

TEST_CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-test"
ALGORITHM = "SHA256withRSA"  # pinned: the sender must not choose how it is checked
DOMAIN = "paypal.com"
FUTURE = 300  # seconds a transmission may seem to come from the future
_HEADERS = tuple(
    f"PayPal-{name}" for name in ("Transmission-Id", "Transmission-Time", "Transmission-Sig", "Cert-Url", "Auth-Algo")
)


@dataclass(frozen=True)
class Transmission:
    """What PayPal's headers say about one delivery, in the order of ``_HEADERS``."""

    id: str
    time: str
    signature: str
    certificate_url: str
    algorithm: str

    @classmethod
    def read(cls, headers: Headers) -> Self:
        """NotVerified when a header is missing."""
        return cls(*(require_header(headers, name) for name in _HEADERS))

    def message(self, webhook_id: str, body: bytes) -> bytes:
        """The text that is signed: the body stands in it as its CRC-32, unsigned and decimal."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode()

    @classmethod
    def make(cls, webhook_id: str, body: bytes, at: datetime, key: bytes) -> dict[str, str]:
        """The headers of a test message, signed with a throw-away ``key`` whose certificate the source trusts."""
        from hub.contract.certificates import make_rsa_sha256

        sent = cls(str(uuid4()), at.strftime("%Y-%m-%dT%H:%M:%SZ"), "", TEST_CERTIFICATE_URL, ALGORITHM)
        signed = replace(sent, signature=make_rsa_sha256(sent.message(webhook_id, body), key))
        return dict(zip(_HEADERS, astuple(signed), strict=True))

    def check(self, now: datetime, tolerance: int) -> None:
        """NotVerified when it is too old, from the future, signed otherwise, or names somebody else's certificate."""
        from hub.contract.certificates import check_address

        sent = parse_time(self.time)
        if sent is None:
            raise NotVerified("The time of the transmission cannot be read.")
        if not -FUTURE <= (now - sent).total_seconds() <= tolerance:
            raise NotVerified(
                f"The transmission was signed at {self.time}: too far from now. If it is genuine, check the clocks.",
                reason="signature_too_old",
            )
        if self.algorithm != ALGORITHM:
            raise NotVerified(f"Only {ALGORITHM} signatures are accepted.", detail=self.algorithm[:100])
        check_address(self.certificate_url, DOMAIN)


def check_with_certificate(
    transmission: Transmission, webhook_ids: Sequence[str], body: bytes, pinned: str, now: datetime
) -> Recipe:
    """Check the signature with the ``pinned`` certificate, or with PayPal's if public roots vouch for it.

    One of ``webhook_ids`` must have been signed for. Raises NotVerified.
    """
    from hub.contract.certificates import check_dates, check_rsa_sha256, fetch_certificate, read_certificates

    if pinned:
        certificate = read_certificates(pinned.encode())[0]
        check_dates(certificate, now)
    else:
        certificate = yield from fetch_certificate(transmission.certificate_url, DOMAIN, now)
    refusal = NotVerified("No webhook id is set.", reason="secret_not_set")
    for webhook_id in webhook_ids:
        try:
            return check_rsa_sha256(transmission.message(webhook_id, body), transmission.signature, certificate)
        except NotVerified as error:
            refusal = error
    raise refusal


def ask_paypal(transmission: Transmission, webhook_id: str, body: bytes, api: str) -> Recipe:
    """Ask PayPal whether it sent this. The event goes back byte for byte as it came: re-written JSON never verifies."""
    _require_one_object(body)
    fields = {
        "auth_algo": transmission.algorithm,
        "cert_url": transmission.certificate_url,
        "transmission_id": transmission.id,
        "transmission_sig": transmission.signature,
        "transmission_time": transmission.time,
        "webhook_id": webhook_id,
    }
    question = json.dumps(fields).encode()[:-1] + b', "webhook_event": ' + body + b"}"
    url = f"{api}/v1/notifications/verify-webhook-signature"
    reply: Reply = yield Call.post(url, body=question, headers={"Content-Type": "application/json"})
    verdict = reply.json() if reply.ok else None
    if not isinstance(verdict, dict) or verdict.get("verification_status") != "SUCCESS":
        raise NotVerified("PayPal says that it did not send this message.", detail=f"HTTP {reply.status}")


def _require_one_object(body: bytes) -> None:
    # The body stands in the question as it is: with more than one object in it, it could change the question.
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise NotVerified("The message is not one JSON object, so PayPal cannot be asked about it.")
