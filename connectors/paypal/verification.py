"""PayPal's signature: checked here with its certificate, or by PayPal itself.

Sources: developer.paypal.com/api/rest/webhooks/rest; paypal/PayPal-Python-SDK paypalrestsdk/notifications.py;
paypal/paypal-rest-api-specifications openapi/notifications_webhooks_v1.json.
"""

from __future__ import annotations

import zlib

from hub.contract import Call
from hub.toolkit.certified_headers import CertifiedHeaders, with_message


class Transmission(CertifiedHeaders):
    """What PayPal's headers say about one delivery. It is signed for a webhook id."""

    header_names = (
        "PayPal-Transmission-Id",
        "PayPal-Transmission-Time",
        "PayPal-Transmission-Sig",
        "PayPal-Cert-Url",
        "PayPal-Auth-Algo",
    )
    domain = "paypal.com"
    test_certificate_url = "https://api.paypal.com/v1/notifications/certs/CERT-test"

    def message(self, receiver: str, body: bytes) -> bytes:
        """The text that is signed: the body stands in it as its CRC-32, unsigned and decimal."""
        return f"{self.id}|{self.time}|{receiver}|{zlib.crc32(body)}".encode()

    def question(self, webhook_id: str, body: bytes, api: str) -> Call:
        """Ask PayPal whether it sent this; ``verification_status`` is its answer. NotVerified if it cannot be asked."""
        fields = {
            "auth_algo": self.algorithm,
            "cert_url": self.certificate_url,
            "transmission_id": self.id,
            "transmission_sig": self.signature,
            "transmission_time": self.time,
            "webhook_id": webhook_id,
        }
        question = with_message(fields, "webhook_event", body)
        url = f"{api}/v1/notifications/verify-webhook-signature"
        return Call.post(url, body=question, headers={"Content-Type": "application/json"})
