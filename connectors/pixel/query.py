"""A pixel's fields, by the names that pages use for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.contract.intake import CLICK_IDS, UTM_NAMES, clean_text, unreplaced_placeholder
from hub.contract.queries import decoded, read_pairs, squeezed

PLACEHOLDER = "placeholder_not_replaced"

_NAMES = (
    "webinarId", "tag", "email", "amount", "currency", "orderId", "productId", "productName", "stage", "firstName",
    "lastName", "phone", "coupon", "externalId", "offer", "consent", "test", "time", "ip", "userAgent", "pageUrl",
    "referrer", "ts", "sig", *CLICK_IDS, *(f"utm_{part}" for part in UTM_NAMES),
)  # fmt: skip
_SAME = {
    "webinar": "webinarId",
    "campaign": "webinarId",
    "campaignId": "webinarId",
    "offerId": "offer",
    "order": "orderId",
}
_KNOWN = {squeezed(name): meant for name, meant in {**dict(zip(_NAMES, _NAMES, strict=True)), **_SAME}.items()}


@dataclass
class Fields:
    """The values of each known field, in order, cleaned; empty ones left out.

    ``placeholders`` are those nobody filled in, as (field, text sent, name of the syntax).
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    placeholders: list[tuple[str, str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The different values of ``name``."""
        return list(dict.fromkeys(self.values.get(name, ())))

    def one(self, name: str) -> str:
        """The first value of ``name``, or an empty text."""
        return next(iter(self.values.get(name, ())), "")

    def firsts(self) -> dict[str, str]:
        """Every field with its first value."""
        return {name: values[0] for name, values in self.values.items()}


def read_fields(text: str) -> Fields:
    """The fields in a query string or form body; what is not known is ignored. Never raises."""
    fields = Fields()
    for name, raw in read_pairs(text):
        if name in _KNOWN:
            _add(fields, _KNOWN[name], raw)
    return fields


def _add(fields: Fields, name: str, raw: str) -> None:
    value = clean_text(decoded(raw), 2000)
    # A placeholder such as %ADDRESS% begins like an escape, so the raw text is asked as well.
    for text in (raw, value):
        syntax = unreplaced_placeholder(text)
        if syntax:
            fields.placeholders.append((name, clean_text(text, 80), syntax))
            return
    if value:
        fields.values.setdefault(name, []).append(value)
