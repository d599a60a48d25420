"""Automation tools (Zapier, Make, n8n …): what starts their flows, and what their flows tell the hub.

Both ways speak the catalog's flat form: one object of snake_case keys (docs/mapping.md, "The flat form").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from hub.contract.auth import Auth
from hub.contract.calls import Call, Recipe, Record
from hub.contract.connector import ALL_STAGES, ANY_FIELDS, Destination, Source, Unsigned
from hub.contract.conversion import Conversion
from hub.contract.errors import NotUnderstood
from hub.contract.inbound import Inbound
from hub.contract.settings import Currency, Secret, Secrets, SettingsSchema, Switch, Words
from hub.contract.vocabulary import Category, Kind, Text
from hub.toolkit.flat_form import read_record
from hub.toolkit.signing import check_token, require_header

TOKEN = "X-Hub-Token"  # noqa: S105 - the header's name


class FlowStarter(Destination):
    """Posts each conversion as one flat object to the address that starts a flow.

    A connector of it names itself and declares ``Settings`` with a :class:`SecretUrl` ``hook_url``. What subscribes
    through the REST API is connected by the one whose ``hook_hosts`` fit the address, or that the caller names.
    """

    category = Category.AUTOMATION
    kinds = frozenset(Kind)
    fields = ANY_FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {"*": {"from": "*"}}
    subscribes = True

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One POST. ``id`` is the same in every try and differs between a purchase and its refund."""
        status = record.stage if record.kind is Kind.CONVERSION else record.kind
        fields = {**record.values, "id": f"{record.event_id}_{status}"}
        yield Call.post(settings["hook_url"], json=fields, idempotency_key=fields["id"])


class HeaderPassword(SettingsSchema):
    """The settings of :class:`PasswordHeader`: a header that the receiver compares."""

    header_name = Words(
        Text("Password header (optional)", "En-tête de mot de passe (facultatif)"),
        help=Text("If the flow checks a header: its name.", "Si le flux vérifie un en-tête : son nom."),
        placeholder="X-Token",
        load_default="",
    )
    header_value = Secret(
        Text("Password in that header", "Mot de passe dans cet en-tête"),
        help=Text("The value that the flow expects there.", "La valeur que le flux y attend."),
        load_default="",
    )


@dataclass(frozen=True)
class PasswordHeader(Auth):
    """The header that :class:`HeaderPassword` names, when it names one."""

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        if settings["header_name"]:
            headers[settings["header_name"]] = settings["header_value"]


class RecordSettings(SettingsSchema):
    """How a flow proves itself, and what its amounts are in."""

    token = Secrets(
        Text("Password", "Mot de passe"),
        help=Text(
            f"Make one up, and send it in the header {TOKEN}. Two lines while you change it.",
            f"Inventez-le et envoyez-le dans l'en-tête {TOKEN}. Deux lignes pendant un changement.",
        ),
    )
    refuse_unsigned = Switch(
        Text("Refuse messages without the password", "Refuser les messages sans le mot de passe"),
        help=Text(
            "Switched off, the secret address is enough, but what comes without it counts as claimed, not proven.",
            "Désactivé, l'adresse secrète suffit, mais ce qui arrive sans lui est déclaré, non prouvé.",
        ),
        load_default=True,
    )
    currency = Currency(
        Text("Default currency", "Devise par défaut"),
        help=Text("When the message names none.", "Si le message n'en indique pas."),
        placeholder="EUR",
        load_default="",
    )


class RecordSource(Source):
    """Takes one flat object, or a list of them, out of a flow: see :mod:`hub.toolkit.flat_form` for the keys.

    Messages carry a password in the header X-Hub-Token, which does not cover the body. ``takes_records`` makes it the
    source of what is recorded through the REST API, where the API key is the proof.
    """

    category = Category.AUTOMATION
    Settings = RecordSettings
    stages = ALL_STAGES
    kinds = frozenset(Kind)
    signs_body = False
    takes_records = True

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> None:
        """The password; or, if the person said so, the secret address alone."""
        if not settings["refuse_unsigned"] and TOKEN not in inbound.headers:
            raise Unsigned
        check_token(require_header(inbound.headers, TOKEN), settings["token"])

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: datetime, key: bytes) -> dict[str, str] | None:
        if settings["token"]:
            return {TOKEN: settings["token"][0]}
        return None if settings["refuse_unsigned"] else {}

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        """Records without an ``event_id`` of their own are told apart by the message's digest: the same for a resend."""
        body = inbound.json()
        records = body if isinstance(body, list) else [body]
        if not records or not all(isinstance(record, dict) for record in records):
            raise NotUnderstood("The message is JSON, but neither an object nor a list of objects.")
        digest = sha256(inbound.body).hexdigest()[:32]
        for place, record in enumerate(records):
            conversion = read_record(record, inbound.received_at, settings["currency"], f"body-{digest}-{place}")
            if conversion is not None:
                yield conversion
