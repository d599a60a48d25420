"""Settings of a connector, declared once: the form, the validation and the encryption all follow from them."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from hub.contract.vocabulary import Text


def _metadata(label: Text, help: Text | None, placeholder: str, secret: bool, widget: str) -> dict[str, Any]:
    return {"label": label, "help": help, "placeholder": placeholder, "secret": secret, "widget": widget}


class Words(fields.String):
    """One line of text."""

    widget = "text"
    secret = False

    def __init__(self, label: Text, *, help: Text | None = None, placeholder: str = "", **rest: Any) -> None:
        super().__init__(metadata=_metadata(label, help, placeholder, self.secret, self.widget), **rest)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return str(super()._deserialize(value, *args, **kwargs)).strip()


class LongWords(Words):
    """Several lines of text."""

    widget = "textarea"


class Secret(Words):
    """A key or token: encrypted at rest, shown once, masked everywhere."""

    widget = "password"
    secret = True


class Url(Words):
    """An http(s) address. What it may point at is the address guard's business, at connect time."""

    widget = "url"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if text:
            try:
                parts = urlsplit(text)
                good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            except ValueError:
                good = False
            if not good:
                raise ValidationError("Enter a full address that starts with https://")
        return text


class SecretUrl(Url):
    """An address that is itself a password (catch hooks)."""

    secret = True


_API_KEY = Text("API key", "Clé API")


def key_setting(where: Text, placeholder: str = "", label: Text = _API_KEY) -> Secret:
    """The key that proves who we are, required. ``where``: the menus under which a person finds it."""
    return Secret(label, help=where, placeholder=placeholder, required=True)


def hook_address(label: Text, help: Text, placeholder: str) -> SecretUrl:
    """The address that a receiver of posts (a flow, a channel) gave the person. Whoever knows it can post there."""
    return SecretUrl(label, help=help, placeholder=placeholder, required=True)


class Choice(fields.String):
    """One of a closed list. ``choices`` maps the stored value to its label."""

    def __init__(self, label: Text, choices: dict[str, Text], *, help: Text | None = None, **rest: Any) -> None:
        metadata = _metadata(label, help, "", False, "select") | {"choices": choices}
        super().__init__(metadata=metadata, validate=validate.OneOf(list(choices)), **rest)


class Mode(Choice):
    """Live or sandbox, for senders whose messages do not always say it."""

    def __init__(self) -> None:
        super().__init__(
            Text("Live or sandbox", "Réel ou sandbox"),
            {"live": Text("Live", "Réel"), "sandbox": Text("Sandbox (tests)", "Sandbox (tests)")},
            help=Text("Everything from the sandbox is a test.", "Tout ce qui vient de la sandbox est un test."),
            load_default="live",
        )


class Switch(fields.Boolean):
    """On or off."""

    def __init__(self, label: Text, *, help: Text | None = None, load_default: bool = False, **rest: Any) -> None:
        super().__init__(metadata=_metadata(label, help, "", False, "switch"), load_default=load_default, **rest)


class Number(fields.Integer):
    """A whole number."""

    def __init__(self, label: Text, *, help: Text | None = None, placeholder: str = "", **rest: Any) -> None:
        super().__init__(metadata=_metadata(label, help, placeholder, False, "number"), **rest)


class Currency(Words):
    """A three-letter ISO 4217 code, upper-cased; empty allowed unless required."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        from hub.contract.money import EXPONENTS  # money imports nothing of settings; kept local to stay light

        text = super()._deserialize(value, *args, **kwargs).upper()
        if text and text not in EXPONENTS:
            raise ValidationError("Not a currency code: use three letters such as EUR.")
        return text


class TimeZone(Words):
    """The name of a time zone (Europe/Paris); empty, which means UTC, allowed unless required."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        name = super()._deserialize(value, *args, **kwargs)
        try:
            ZoneInfo(name or "UTC")
        except (ValueError, OSError, LookupError):
            raise ValidationError("Not a time zone: use a name such as Europe/Paris.") from None
        return name


class Secrets(fields.Field[list[str]]):
    """One or several live secrets, so that a rotation loses nothing: a text, lines of text, or a list.

    ``generate="whsec"`` asks the web page to offer a fresh one of that form (:func:`hub.toolkit.signing.new_whsec`)
    while the field is empty: the secret is then ours to give, not the other side's.
    """

    def __init__(
        self,
        label: Text,
        *,
        help: Text | None = None,
        placeholder: str = "",
        generate: Literal["", "whsec"] = "",
        **rest: Any,
    ) -> None:
        rest.setdefault("load_default", list)
        metadata = _metadata(label, help, placeholder, True, "secrets") | {"generate": generate}
        super().__init__(metadata=metadata, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        lines = value.splitlines() if isinstance(value, str) else value
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise ValidationError("Enter one secret a line.")
        return [line.strip() for line in lines if line.strip()]

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Table(fields.Field[dict[str, str]]):
    """A small table of texts: an object, or the JSON text of one. Any key is allowed.

    ``choices``: the values that are allowed, with their labels (None: any text). ``names``: the keys that the page offers.
    """

    widget = "table"

    def __init__(
        self,
        label: Text,
        *,
        choices: dict[str, Text] | None = None,
        names: dict[str, Text] | None = None,
        help: Text | None = None,
        placeholder: str = "",
        **rest: Any,
    ) -> None:
        rest.setdefault("load_default", dict)
        self.choices = choices
        metadata = _metadata(label, help, placeholder, False, self.widget) | {"choices": choices, "names": names}
        super().__init__(metadata=metadata, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        if isinstance(value, str):
            try:
                value = json.loads(value or "{}")
            except (ValueError, RecursionError):
                raise ValidationError("This table is not valid JSON.") from None
        if not isinstance(value, dict) or not all(isinstance(cell, str) for row in value.items() for cell in row):
            raise ValidationError("Enter a table of texts.")
        table = {left.strip(): right.strip() for left, right in value.items() if left.strip() and right.strip()}
        for right in table.values():
            if self.choices is not None and right not in self.choices:
                raise ValidationError(f"{right[:40]} is not one of: {', '.join(self.choices)}.")
        return table

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value


class Paths(Table):
    """Where each thing stands in a sender's message: name → path (``customer.email``). ``names`` are those offered."""

    widget = "paths"


class SettingsSchema(Schema):
    """Base of every connector's ``Settings``. Unknown keys are dropped, so that an older file still loads."""

    class Meta:
        unknown = EXCLUDE
        ordered: ClassVar[bool] = True


def secret_names(schema: type[Schema]) -> frozenset[str]:
    """The names of the settings that must be encrypted and masked."""
    return frozenset(name for name, field in schema._declared_fields.items() if field.metadata.get("secret"))
