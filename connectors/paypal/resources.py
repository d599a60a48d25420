"""What PayPal's resources have in common, versions 1 and 2 side by side: money, names of the sale, persons, lines.

Source: developer.paypal.com/docs/api (orders v2, payments v1 and v2, subscriptions v1, invoicing v1 and v2).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hub.contract import Contact, Item
from hub.contract.money import decimal
from hub.toolkit.bundled_files import read_words
from hub.toolkit.conversion_facts import Facts, first_object, first_text, major_money, read_items, read_person
from hub.toolkit.paths import all_at, text

Json = Mapping[str, Any]

# Where things stand (paths.json) in a resource that `with_links` has read, best first. `references` are the merchant's
# invoice ids: PayPal takes each once only, so they name the sale. Custom ids may repeat. `subscription`: the one that a
# sale charges; `order`: the v2 order behind a capture or refund; `payment`: the v1 payment behind a sale.
PATHS = read_words(__name__, "paths.json")


def money(amount: Json) -> Facts:
    """``value`` and ``currency`` of an amount of either version. Raises when a part is missing, unknown or negative."""
    return major_money(first_text(amount, "value", "total"), first_text(amount, "currency_code", "currency"))


def money_back(amount: Json) -> Facts:
    """As :func:`money`: refunds of sales are positive, of v1 captures negative."""
    return money({name: (text(said) or "").lstrip("-") for name, said in amount.items()})


def total(amounts: list[Json]) -> Facts:
    """The sum of several amounts in one currency; ValueError when there is none, or when currencies differ."""
    parts = [money(amount) for amount in amounts]
    if len({part["currency"] for part in parts}) != 1:
        raise ValueError("amounts in no currency, or in several")
    return {"value": sum((part["value"] for part in parts), Decimal(0)), "currency": parts[0]["currency"]}


def with_links(resource: Json) -> dict[str, Any]:
    """The resource, and ``linked``: by relation, the last part of each link's path. A link up to an order is ``order``."""
    linked: dict[str, str] = {}
    for link in resource.get("links") or []:
        address, relation = (text(link.get("href")) or "").split("?")[0].rstrip("/"), link.get("rel")
        if relation == "up" and "/checkout/orders/" in address:
            relation = "order"
        if relation != "self" or "/refund" not in address:  # a refund's own id names no sale
            linked.setdefault(relation, address.rpartition("/")[2])
    return {**resource, "linked": linked}


def buyer_of(*resources: Json) -> Contact:
    """The buyer, from the first resource that names one; the payee and the merchant are never taken."""
    contacts = (_buyer(resource) for resource in resources)
    return next((contact for contact in contacts if contact.email or contact.external_id), Contact())


def _buyer(resource: Json) -> Contact:
    payer = first_object(resource, "payer", "subscriber")
    billed = first_object(resource, "billing_info[0]", "primary_recipients[0].billing_info")
    parts = {**resource, "payer": payer, "billed": billed}
    names = {
        "name": first_object(parts, "payer.name", "billed.name"),
        "address": first_object(parts, *PATHS["addresses"]),
    }
    return read_person(parts | names, PATHS["buyer"])


def items_of(resource: Json) -> list[Item]:
    """The lines of an order, payment or invoice; mostly left out by the shop."""
    return read_items(all_at(resource, *PATHS["lines"]), PATHS["line"], _unit_price)


def _unit_price(line: Json) -> Decimal | None:
    return decimal(first_text(line, *PATHS["unit_price"]))
