"""Any HTTP API: the mapping says what goes into the address, the query, the headers and the body.

Keys ``query.NAME`` and ``header.NAME`` leave the body; ``{key}`` in the address takes that key's value; other keys with
dots nest (``buyer.email``). Whether an address may be called at all is the sender's business (hub/outgoing/guard.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from marshmallow import ValidationError, validates_schema

from hub.contract import (
    ANY_FIELDS,
    Auth,
    BadMapping,
    Call,
    Category,
    Choice,
    Destination,
    Kind,
    Recipe,
    Record,
    Secret,
    SettingsSchema,
    Text,
    Url,
    Words,
)
from hub.contract.auth import basic

from .bodies import form_body, nested, plain_text, xml_body

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
NO_BODY = ("DELETE", "GET")
_HOLE = re.compile(r"\{([^{}/?#]+)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TAKEN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding", "expect", "upgrade", "te"})


class HttpSettings(SettingsSchema):
    """Where to, how, and with which credentials."""

    method = Choice(
        Text("Method", "Méthode"),
        {name: Text(name, name) for name in METHODS},
        help=Text("As the receiver's documentation says.", "Selon la documentation du récepteur."),
        load_default="POST",
    )
    url = Url(
        Text("Address", "Adresse"),
        help=Text(
            "Fields in braces are filled in: https://api.example.com/orders/{order_id}",
            "Les champs entre accolades sont remplis : https://api.example.com/orders/{order_id}",
        ),
        placeholder="https://api.example.com/orders/{order_id}",
        required=True,
    )
    body = Choice(
        Text("The fields go", "Les champs partent"),
        {
            "json": Text("as JSON", "en JSON"),
            "form": Text("as a form", "en formulaire"),
            "xml": Text("as XML", "en XML"),
            "query": Text("in the query of the address", "dans la requête de l'adresse"),
        },
        help=Text("GET and DELETE have no body.", "GET et DELETE n'ont pas de corps."),
        load_default="json",
    )
    xml_root = Words(
        Text("XML: name of the outer element", "XML : nom de l'élément extérieur"),
        help=Text("Only for XML.", "Seulement pour XML."),
        load_default="conversion",
    )
    auth = Choice(
        Text("Credentials", "Identifiants"),
        {
            "none": Text("None", "Aucun"),
            "bearer": Text("Bearer token", "Jeton Bearer"),
            "basic": Text("User and password (Basic)", "Utilisateur et mot de passe (Basic)"),
            "header": Text("A header of its own", "Un en-tête propre"),
            "query": Text("A parameter in the address", "Un paramètre dans l'adresse"),
        },
        help=Text("How the receiver knows you.", "Comment le récepteur vous reconnaît."),
        load_default="none",
    )
    auth_name = Words(
        Text("User, or name of the header or parameter", "Utilisateur, ou nom de l'en-tête ou du paramètre"),
        help=Text("Not for Bearer.", "Pas pour Bearer."),
        placeholder="X-Api-Key",
        load_default="",
    )
    auth_secret = Secret(
        Text("Token or password", "Jeton ou mot de passe"),
        help=Text("Kept encrypted.", "Gardé chiffré."),
        load_default="",
    )

    @validates_schema
    def _check_together(self, data: dict[str, Any], **_: Any) -> None:
        parts = urlsplit(data["url"])
        if "{" in parts.netloc:
            raise ValidationError("Fields in braces may stand behind the host only.", "url")
        if data["method"] in NO_BODY and data["body"] != "query":
            raise ValidationError(f"{data['method']} has no body: choose the query of the address.", "body")
        if data["auth"] in ("header", "query") and not data["auth_name"]:
            raise ValidationError("Enter the name of the header or parameter.", "auth_name")
        if data["auth"] == "header" and not _may_be_set(data["auth_name"]):
            raise ValidationError("Choose another header name, such as X-Api-Key.", "auth_name")
        if not data["auth_secret"].isprintable() or not data["auth_secret"].isascii():
            raise ValidationError("Only plain letters, digits and signs fit into a header.", "auth_secret")


@dataclass(frozen=True)
class Chosen(Auth):
    """What the person chose in the setting ``auth``."""

    def apply(self, settings: Mapping[str, Any], headers: dict[str, str], params: dict[str, str]) -> None:
        way, name, secret = settings["auth"], settings["auth_name"], settings["auth_secret"]
        if way == "bearer":
            headers["Authorization"] = f"Bearer {secret}"
        elif way == "basic":
            headers["Authorization"] = basic(name, secret)
        elif way == "header":
            headers[name] = secret
        elif way == "query":
            params[name] = secret


class Http(Destination):
    """One call for each conversion."""

    slug = "http"
    name = "HTTP request"
    category = Category.GENERIC
    homepage = "https://www.rfc-editor.org/rfc/rfc9110"
    Settings = HttpSettings
    auth = Chosen()
    kinds = frozenset(Kind)
    fields = ANY_FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {"*": {"from": "*"}}

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """The call, with a key that is the same in every try."""
        headers, query, fields = _sorted_out(record.values)
        call = Call(settings["method"], _filled(settings["url"], record.values), params=query, headers=headers)
        status = record.stage if record.kind is Kind.CONVERSION else record.kind
        call.idempotency_key = f"{record.event_id}_{status}"
        if settings["body"] == "json":
            call.json = nested(fields)
        elif settings["body"] == "form":
            call.form = form_body(fields)
        elif settings["body"] == "xml":
            call.body = xml_body(settings["xml_root"], nested(fields))
            call.headers.setdefault("Content-Type", "application/xml; charset=utf-8")
        else:
            call.params = {**form_body(fields), **query}
        yield call


def _sorted_out(values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for key, value in values.items():
        place, _, name = key.partition(".")
        if place == "header" and name:
            headers[name] = _header(key, name, plain_text(value))
        elif place == "query" and name:
            query[name] = plain_text(value)
        else:
            fields[key] = value
    return headers, query, fields


def _may_be_set(name: str) -> bool:
    return _HEADER_NAME.fullmatch(name) is not None and name.lower() not in _TAKEN_HEADERS


def _header(key: str, name: str, value: str) -> str:
    if not _may_be_set(name):
        raise BadMapping(key, f"{name} is no header that may be set.")
    if not value.isprintable() or not value.isascii():
        raise BadMapping(key, "Only plain letters, digits and signs on one line fit into a header.")
    return value


def _filled(address: str, values: Mapping[str, Any]) -> str:
    """The address with its holes filled, percent-encoded so that a value can neither leave its place nor add one."""

    def value_of(hole: re.Match[str]) -> str:
        value = plain_text(values.get(hole[1]))
        if not value or value in (".", ".."):
            raise BadMapping(hole[1], f"The address needs {hole[1]}, which this conversion has no usable value for.")
        return quote(value, safe="")

    return _HOLE.sub(value_of, address)
