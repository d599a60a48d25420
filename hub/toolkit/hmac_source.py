"""Senders that sign the raw body with an HMAC in one header, with or without a time. A connector declares what differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from hub.contract.connector import Source
from hub.contract.inbound import Inbound
from hub.contract.settings import Secrets, SettingsSchema
from hub.contract.vocabulary import Text
from hub.toolkit.signing import TOLERANCE, Encoding, check_hmac, check_timed, make_hmac, require_header, sign_timed


class OwnSecret(SettingsSchema):
    """The secret of senders that let a person choose it."""

    secret = Secrets(
        Text("Webhook secret", "Secret du webhook"),
        help=Text(
            "Any long random text, typed here and in the webhook's form. After a change keep the old one on a second line "
            "for a day: earlier messages may still be signed with it.",
            "Un long texte au hasard, saisi ici et dans le formulaire du webhook. Après un changement, gardez l'ancien sur "
            "une deuxième ligne un jour : des messages antérieurs peuvent encore être signés avec lui.",
        ),
    )


class HmacSource(Source):
    """A source with the setting ``secret`` (Secrets). A connector adds its names, ``signature_header`` and ``normalize``,
    and ``Settings`` where the sender gives out the secret.

    ``signature_header``: the header's name; ``other_headers``: other spellings of it that deliveries have.
    """

    Settings: ClassVar[type[SettingsSchema]] = OwnSecret
    signature_header: ClassVar[str]
    other_headers: ClassVar[tuple[str, ...]] = ()
    encoding: ClassVar[Encoding] = "hex"

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """HMAC-SHA256 of the raw body under one of the live secrets."""
        spelled = next((name for name in self.other_headers if name in inbound.headers), self.signature_header)
        given = require_header(inbound.headers, spelled)
        check_hmac(inbound.body, [given], settings["secret"], encoding=self.encoding)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {self.signature_header: make_hmac(body, settings["secret"][0], encoding=self.encoding)}


class TimedHmacSource(Source):
    """The scheme that Stripe made common (:func:`hub.toolkit.signing.check_timed`), with the setting ``secret`` (Secrets).

    ``tolerance``: how old a signature may be, in seconds; a setting of that name, if there is one, says it instead.
    """

    signature_header: ClassVar[str]
    tolerance: ClassVar[int] = TOLERANCE
    signs_time = True

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """One of the header's v1 signatures of ``time.body``, under one of the live secrets; other versions are ignored."""
        header = require_header(inbound.headers, self.signature_header)
        tolerance = settings.get("tolerance", self.tolerance)
        check_timed(header, inbound.body, settings["secret"], inbound.received_at, tolerance)

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str]:
        return {self.signature_header: sign_timed(body, settings["secret"][0], at)}
