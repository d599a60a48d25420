"""Gumroad's pings: set-up, verification and fields (gumroad.com/ping; antiwork/gumroad, ping_notification.rb)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from hub.contract import Bearer, Call, Context, Conversion, Inbound, Item, Recipe, Snippet, Source, Unsigned
from hub.contract.errors import NotUnderstood, NotVerified
from hub.contract.money import decimal
from hub.contract.settings import Choice, Secret, SettingsSchema, Words
from hub.contract.vocabulary import Category, Kind, Stage, Status, Text
from hub.toolkit.conversion_facts import Facts, first_text, minor_money, read_person, sale_names, told
from hub.toolkit.paging import read_object, try_call
from hub.toolkit.paths import dig, required_text, text

Form = Mapping[str, str]
API = "https://api.gumroad.com/v2"
CHECKED = ("product_id", "email", "price")  # what the sale read back must say as the message does
_BUYER = {
    "email": ("email", "user_email"),
    "name": "full_name",
    "external_id": "purchaser_id",
    "city": "city",
    "region": "state",
    "postal_code": "zip_code",
    "country": ("country", "ip_country"),
}


class GumroadSettings(SettingsSchema):
    access_token = Secret(
        Text("Access token (recommended)", "Jeton d'accès (recommandé)"),
        help=Text(
            "Gumroad signs nothing. With this token each sale is compared with Gumroad's own record and counts as proven; "
            "without it, as claimed.",
            "Gumroad ne signe rien. Avec ce jeton, chaque vente est comparée à celle enregistrée chez Gumroad et compte "
            "comme prouvée ; sans lui, comme déclarée.",
        ),
        load_default="",
    )
    seller_id = Words(
        Text("Your seller id (optional)", "Votre identifiant de vendeur (facultatif)"),
        help=Text(
            "The seller_id of any of your pings: messages with another one are refused.",
            "Le seller_id d'un de vos pings : les messages qui en portent un autre sont refusés.",
        ),
        load_default="",
    )
    price_in = Choice(
        Text("Currency of prices", "Devise des prix"),
        {
            "usd": Text("US dollars, as documented", "Dollars américains, comme documenté"),
            "product": Text("The product's currency", "La devise du produit"),
        },
        help=Text(
            "Gumroad documents prices in cents of a dollar, yet names the product's currency beside them. Compare one sale.",
            "Gumroad documente des prix en cents de dollar, mais nomme à côté la devise du produit. Comparez une vente.",
        ),
        load_default="usd",
    )


class Gumroad(Source):
    """Sales, refunds, disputes and ended memberships of a Gumroad account."""

    slug = "gumroad"
    name = "Gumroad"
    category = Category.PAYMENTS
    status = Status.BETA
    homepage = "https://gumroad.com"
    Settings = GumroadSettings
    auth = Bearer("access_token")
    stages = frozenset({Stage.PURCHASE})
    kinds = frozenset(Kind) - {Kind.PENDING, Kind.CONTACT}
    signs_body = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Gumroad › Settings › Advanced › Ping endpoint", "Gumroad › Settings › Advanced › Ping endpoint"
        ),
        note=Text(
            "The ping tells sales only. Refunds, disputes and cancellations need resource subscriptions, made through "
            "Gumroad's API: see this source's page.",
            "Le ping n'annonce que les ventes. Remboursements, litiges et annulations demandent des « resource "
            "subscriptions », créées par l'API de Gumroad : voir la page de cette source.",
        ),
    )

    def verify(self, inbound: Inbound, settings: Mapping[str, Any]) -> Recipe:
        """By the sale as Gumroad has it, where there is a token and the message names a sale."""
        form = inbound.form()
        if settings["seller_id"] and form.get("seller_id") != settings["seller_id"]:
            raise NotVerified("The message is of another seller than the one set on this source.")
        number = text(form.get("sale_id"))
        if not settings["access_token"] or number is None:
            raise Unsigned
        found = yield from read_object(Call.get(f"{API}/sales/{quote(number, safe='')}"), needed=True)
        if any(text(dig(found, f"sale.{name}")) != text(form.get(name)) for name in CHECKED):
            raise NotVerified("Gumroad has no such sale: its product, e-mail or price is another.")

    def rehearse(self, body: bytes, settings: Mapping[str, Any], at: Any, key: bytes) -> dict[str, str] | None:
        return None if settings["access_token"] else {}

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        return try_call(Call.get(f"{API}/user"), "The token works.") if settings["access_token"] else None

    def normalize(self, inbound: Inbound, settings: Mapping[str, Any]) -> Iterable[Conversion]:
        form = inbound.form()
        if not {"sale_id", "subscription_id"} & set(form):
            raise NotUnderstood("This is not a ping of Gumroad: it names neither a sale nor a membership.")
        resource = text(form.get("resource_name")) or "sale"
        if form.get("is_gift_receiver_purchase") == "true" or form.get("is_preorder_authorization") == "true":
            return []  # a gift's giver has a ping with the money; a pre-order is not charged yet
        facts = _subscription(form, resource) if resource in _ENDED else _sale(form, resource, settings)
        if facts is None:
            return []
        facts |= {
            "contact": read_person(form, _BUYER),
            "test": form.get("test") == "true",
            "recurring": "subscription_id" in form,
            "subscription_id": text(form.get("subscription_id")),
            "context": Context(referrer=text(form.get("referrer"))),
        }
        times = [form.get(name) for name in facts.pop("times")]
        pairs = {name.removeprefix("url_params[")[:-1]: form[name] for name in form if name.startswith("url_params[")}
        return [told(facts, times, inbound.received_at, url_params=pairs)]


_ENDED = ("cancellation", "subscription_ended")
_MONEY = {"refund": Kind.REFUND, "refunded": Kind.REFUND, "dispute": Kind.DISPUTE, "dispute_won": Kind.DISPUTE}


def _sale(form: Form, resource: str, settings: Mapping[str, Any]) -> Facts | None:
    if resource != "sale" and resource not in _MONEY:
        return None
    number = required_text(form, "sale_id")
    money = minor_money(form["price"], "USD" if settings["price_in"] == "usd" else form.get("currency"))
    facts = {"event_id": f"{resource}:{number}", **sale_names(number, form.get("order_number")), **money}
    if resource != "sale":
        kind = _MONEY[resource]
        flags = ["refund_amount_assumed_whole"] if kind is Kind.REFUND else []
        facts |= {"value": Decimal(0)} if resource == "dispute_won" else {}
        # A ping has the time of its sale only: that of the refund or dispute is when it arrives.
        return facts | {"kind": kind, "money_id": f"{number}:{kind}", "flags": flags, "times": ()}
    quantity = decimal(form.get("quantity")) or Decimal(1)
    item = Item(product_id=text(form.get("product_id")), sku=first_text(form, "sku_id", "short_product_id"))
    item.name, item.quantity = text(form.get("product_name")), quantity
    renews = form.get("is_recurring_charge") == "true"
    return facts | {
        "stage": Stage.PURCHASE,
        "kind": Kind.RENEWAL if renews else Kind.CONVERSION,
        "items": [item],
        "coupon": text(form.get("offer_code")),
        "times": ("sale_timestamp",),
    }


def _subscription(form: Form, resource: str) -> Facts:
    number = required_text(form, "subscription_id")
    told = first_text(form, "cancelled_at", "ended_at") or ""
    reason = first_text(form, "ended_reason") or ("by the seller" if form.get("cancelled_by_admin") == "true" else None)
    times = ("cancelled_at", "ended_at", "created_at")
    return {"event_id": f"{resource}:{number}:{told}", "kind": Kind.CANCELLATION, "reason": reason, "times": times}
