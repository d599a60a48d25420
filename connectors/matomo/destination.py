"""Matomo: sales as ecommerce orders, other stages as goals or events.

Sources: developer.matomo.org/api-reference/tracking-api (parameters; ``cip`` and older ``cdt`` need the token), and
matomo-org/matomo, core/Tracker/Request.php and core/Request/AuthenticationToken.php (the token as ``Authorization:
Bearer``), core/Tracker/Handler.php (400 for what it cannot use). Bulk tracking is not used: it does not say which of
its requests were bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import validate

from hub.contract import (
    ALL_STAGES,
    BadCredentials,
    BadMapping,
    Bearer,
    Call,
    Category,
    Currency,
    Destination,
    Field,
    Kind,
    Outcome,
    Recipe,
    Record,
    Refused,
    Reply,
    Secret,
    SettingsSchema,
    Stage,
    Status,
    Table,
    Text,
    Url,
    Words,
)
from hub.contract.calls import dump_json
from hub.contract.vocabulary import STAGE_LABELS
from hub.toolkit.ads import lines, number, price, texts
from hub.toolkit.paths import dig, text
from hub.toolkit.people import stable_uuid
from hub.toolkit.standard_fields import fields_for, mapping_for

KEYS = {
    "url": "page_url",
    "urlref": "referrer",
    "cip": "ip",
    "ua": "user_agent",
    "uid": "external_id",
    "email": "email",
    "visitor": "cookie",
    "ec_id": "sale_order_id",
    "revenue": "value",
    "currency": "currency",
    "items": "items",
    "e_n": "content_name",
}
SENT = ("url", "urlref", "cip", "ua", "uid")


class MatomoSettings(SettingsSchema):
    """One site of one Matomo."""

    base = Url(
        Text("Address of Matomo", "Adresse de Matomo"),
        help=Text("Without matomo.php or index.php.", "Sans matomo.php ni index.php."),
        placeholder="https://example.matomo.cloud/",
        required=True,
    )
    site = Words(
        Text("Site id", "Identifiant du site"),
        help=Text("Matomo: Administration › Websites › Manage.", "Matomo : Administration › Sites web › Gérer."),
        placeholder="1",
        required=True,
        validate=validate.Regexp(r"[0-9]{1,10}\Z", error="Only the number."),
    )
    token = Secret(
        Text("Auth token", "Jeton d'authentification"),
        help=Text(
            "Matomo: Administration › Personal › Security › Auth tokens, of a user with write access to the site.",
            "Matomo : Administration › Personnel › Sécurité › Jetons, d'un utilisateur pouvant écrire sur le site.",
        ),
        required=True,
    )
    currency = Currency(
        Text("Currency of the site", "Devise du site"),
        help=Text(
            "Matomo has one a site: sales in another are not sent.",
            "Matomo en a une par site : les autres ne partent pas.",
        ),
        placeholder="EUR",
        required=True,
    )
    goals = Table(
        Text("Goals", "Objectifs"),
        names=STAGE_LABELS,
        help=Text(
            "Stage → number of the goal. Other stages become events.",
            "Étape → numéro de l'objectif. Les autres étapes deviennent des événements.",
        ),
    )


class Matomo(Destination):
    """Orders need ecommerce switched on for the site. Refunds are not sent: Matomo has nothing for them."""

    slug = "matomo"
    name = "Matomo"
    category = Category.ANALYTICS
    status = Status.BETA
    homepage = "https://matomo.org"
    Settings = MatomoSettings
    auth = Bearer("token")
    purpose = "analytics"
    kinds = frozenset({Kind.CONVERSION, Kind.RENEWAL})
    default_stages = ALL_STAGES - {Stage.LEAD}
    sends_tests = False
    fields = (
        Field("_id", Text("Matomo's visitor id (_pk_id)", "Identifiant visiteur de Matomo (_pk_id)")),
        *fields_for(KEYS),
    )
    # A user id takes the place of the visitor id at Matomo, and would tear visit and sale apart where the site sets none.
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for({key: KEYS[key] for key in KEYS if key != "uid"})

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Reads the site's name and currency."""
        asked = {"module": "API", "method": "SitesManager.getSiteFromId", "idSite": settings["site"], "format": "json"}
        reply = yield Call.post(f"{_base(settings)}/index.php", form=asked)
        site = reply.json()
        if text(dig(site, "result")) == "error" or text(dig(site, "name")) is None:
            raise BadCredentials(f"Matomo says: {text(dig(site, 'message')) or 'nothing of this site'}"[:300])
        if (currency := text(dig(site, "currency"))) != settings["currency"]:
            return f"The token works, but the site “{site['name']}” is in {currency}: change the currency here."
        return f"The token works for the site “{site['name']}”."

    def deliver(self, record: Record, settings: Mapping[str, Any]) -> Recipe:
        """One request. ``bots=1``: a sale without a known browser must not be taken for a robot's and dropped."""
        values = record.values
        sent = {
            "idsite": settings["site"],
            "rec": "1",
            "apiv": "1",
            "send_image": "0",
            "bots": "1",
            "cdt": str(int(record.occurred_at.timestamp())),
            "_id": _visitor(record),
            **texts(values, {key: key for key in SENT}),
            **_what(record, settings),
        }
        yield Call.post(f"{_base(settings)}/matomo.php", form=sent)

    def judge(self, reply: Reply) -> Outcome | None:
        """400 stands for an unknown site as well as for a token that may not set the visitor's address."""
        if reply.status == 400:
            raise Refused("Matomo refused it. Check the site id, and that the token may write to the site.", status=400)
        return None


def _base(settings: Mapping[str, Any]) -> str:
    return str(settings["base"]).removesuffix("matomo.php").removesuffix("index.php").rstrip("/")


def _visitor(record: Record) -> str:
    """Matomo's own id of the browser, else one that is the same for every event of this person: 16 hex digits."""
    given = (text(record.values.get("_id")) or "").partition(".")[0].lower()
    if len(given) == 16 and not given.strip("0123456789abcdef"):
        return given
    known = (text(record.values.get(key)) for key in ("visitor", "email", "uid"))
    return stable_uuid("matomo", next(filter(None, known), record.event_id).lower()).hex[:16]


def _what(record: Record, settings: Mapping[str, Any]) -> dict[str, str]:
    """What happened: an order, a goal, a cart or an event."""
    values, stage = record.values, record.stage
    if record.kind is Kind.RENEWAL or stage is Stage.PURCHASE:
        order_id = text(values.get("ec_id")) or record.event_id
        # A renewal often carries its first sale's order id, under which Matomo has an order already.
        order_id = f"{order_id}-{record.event_id[-8:]}" if record.kind is Kind.RENEWAL else order_id
        return {
            "idgoal": "0",
            "ec_id": order_id[:100],
            **_money("revenue", values, settings, needed=True),
            **_lines(values),
        }
    goal = settings["goals"].get(stage)
    if goal:
        return {"idgoal": goal, **_money("revenue", values, settings)}
    if stage is Stage.ADD_TO_CART and _lines(values):
        return {"idgoal": "0", **_money("revenue", values, settings, needed=True), **_lines(values)}
    event = {"e_c": "Conversion", "e_a": str(stage), **texts(values, {"e_n": "e_n"})}
    return event | _money("e_v", values, settings)


def _money(key: str, values: Mapping[str, Any], settings: Mapping[str, Any], *, needed: bool = False) -> dict[str, str]:
    found = price({**values, "value": values.get("revenue")}, needed=needed)
    if found is None:
        return {}
    if found[1] != settings["currency"]:
        raise BadMapping("currency", f"The site is in {settings['currency']}, the amount in {found[1]}.")
    return {key: str(found[0])}


def _lines(values: Mapping[str, Any]) -> dict[str, str]:
    rows = [
        [line.id, line.name or "", line.category or "", number("items", line.price) or 0, line.quantity]
        for line in lines(values.get("items"))
    ]
    return {"ec_items": dump_json(rows).decode()} if rows else {}
