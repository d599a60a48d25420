"""What all ad platforms have in common, so that a platform's own code is only what sets it apart.

Personal data is normalized and hashed before it leaves. An event that the platform would refuse is held back, because
on most platforms one bad event makes them refuse the whole batch. The stage ``lead`` is off unless a person ticks it: the
hub's lead is an abandoned or refused payment, a platform's lead is a form that someone filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from marshmallow import validate

from hub.contract import money
from hub.contract.calls import Call, Outcome, Outcomes, Recipe, Record, Reply, Result
from hub.contract.connector import ALL_STAGES, Destination, Field, Settings
from hub.contract.errors import BadCredentials, BadMapping, Gone, Refused
from hub.contract.settings import Paths, Secret, Switch, Words
from hub.contract.vocabulary import STAGE_LABELS, Category, Kind, Stage, Text
from hub.toolkit import people
from hub.toolkit.paths import text

Facts = Mapping[str, Any]
"""Mapped values under the names of :mod:`hub.toolkit.standard_fields` ("email", "page_url", "ttclid")."""

PERSON = {
    name: name
    for name in (
        "email",
        "phone",
        "first_name",
        "last_name",
        "city",
        "region",
        "postal_code",
        "country",
        "external_id",
    )
}
VISIT = {name: name for name in ("ip", "user_agent", "page_url", "referrer")}
SALE = {"value": "value", "currency": "currency", "order_id": "sale_order_id", "items": "items"}

SHORT = {
    "em": "email",
    "ph": "phone_digits",
    "fn": "first_name",
    "ln": "last_name",
    "ct": "city",
    "st": "region",
    "zp": "postal_code",
    "country": "country",
    "external_id": "external_id",
}
"""Meta's keys of hashed identifiers, which Pinterest and Snapchat took over."""

PIXEL_NAMES = {
    Stage.VIEW_CONTENT: "ViewContent",
    Stage.ADD_TO_CART: "AddToCart",
    Stage.INITIATE_CHECKOUT: "InitiateCheckout",
    Stage.COMPLETE_REGISTRATION: "CompleteRegistration",
    Stage.ADD_PAYMENT_INFO: "AddPaymentInfo",
    Stage.PURCHASE: "Purchase",
}
"""The names of Meta's pixel, which TikTok took over."""

ANALYTICS_NAMES = {
    Stage.VIEW_CONTENT: "view_item",
    Stage.ADD_TO_CART: "add_to_cart",
    Stage.INITIATE_CHECKOUT: "begin_checkout",
    Stage.COMPLETE_REGISTRATION: "sign_up",
    Stage.ADD_PAYMENT_INFO: "add_payment_info",
    Stage.PURCHASE: "purchase",
}
"""The names of Google Analytics 4, which Microsoft's tag took over."""

EVENT_ID = Field(
    "event_id",
    Text("Event id", "Identifiant de l'évènement"),
    group="sale",
    help=Text(
        "Leave empty, unless the platform's own pixel reports the same sale: then map the id that the page gives it.",
        "Laissez vide, sauf si le pixel de la plateforme déclare la même vente : mettez alors l'id donné par la page.",
    ),
)
"""The id by which a platform tells the pixel's copy of an event from the server's. Empty: the hub's own."""

MOST_ROUNDS = 10  # times a batch is sent again without the rows that the platform named; then it is halved
_LARGEST = float(money.MAX_AMOUNT)


class RowsRefused(Refused):
    """The platform refused the whole batch and named the guilty rows: position → its words."""

    def __init__(self, rows: Mapping[int, str], message: str, *, status: int = 0, detail: str = "") -> None:
        super().__init__(message, status=status, detail=detail)
        self.rows = rows


class AdPlatform(Destination):
    """A platform that takes a list of events in one request. A connector says :meth:`event` and :meth:`request`."""

    category = Category.ADS
    purpose = "ads"
    kinds = frozenset({Kind.CONVERSION})
    default_stages = ALL_STAGES - {Stage.LEAD}
    test_code: ClassVar[str] = ""  # the setting that marks tests; while it is empty, tests are not sent

    def event(self, record: Record, settings: Settings) -> Mapping[str, Any] | Outcome:
        """One record as the platform's event; an Outcome when it is not to be sent.

        Raise BadMapping for what the platform would refuse.
        """
        raise NotImplementedError

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Settings) -> Call:
        """The call that carries ``events``. ``first`` is one of their records: all are of its group. None: a probe."""
        raise NotImplementedError

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """What a success says of each record; all alike, unless the platform says more."""
        return self.preset_outcomes(records, self.judge(reply) or Outcome.delivered())

    def deliver(self, record: Any, settings: Settings) -> Recipe:
        """One request for all that can be sent; again without them, when the platform names rows that spoil it."""
        made, outcomes = self._events(record, settings)
        for _ in range(MOST_ROUNDS):
            if not made:
                return outcomes
            try:
                reply = yield self.request([event for _, event in made], made[0][0], settings)
            except RowsRefused as error:
                guilty = {row: words for row, words in error.rows.items() if 0 <= row < len(made)}
                if not guilty:
                    raise
                outcomes |= {made[row][0].id: Outcome.refused(words) for row, words in guilty.items()}
                made = [each for row, each in enumerate(made) if row not in guilty]
            else:
                return outcomes | self.told(reply, [each for each, _ in made])
        if made:
            raise Refused(f"{self.name} goes on naming events it refuses. The hub sends fewer at once.")
        return outcomes

    def check(self, settings: Settings) -> Recipe | None:
        """Send an empty list. A platform that refuses the token fails the check, one that refuses the list passes it."""
        return self._probe(settings)

    def _probe(self, settings: Settings) -> Recipe:
        try:
            yield self.request([], None, settings)
        except Refused as error:
            if isinstance(error, (BadCredentials, Gone)) or error.status == 404:
                raise
        return f"{self.name} answers to these credentials. Send a test conversion to be sure."

    def _events(
        self, records: Sequence[Record], settings: Settings
    ) -> tuple[list[tuple[Record, Mapping[str, Any]]], Outcomes]:
        made: list[tuple[Record, Mapping[str, Any]]] = []
        outcomes: Outcomes = {}
        for record in records:
            if record.test and self.test_code and not settings[self.test_code]:
                outcomes[record.id] = Outcome.skipped("test_not_sent", f"Set a test code to send tests to {self.name}.")
                continue
            try:
                event = self.event(record, settings)
            except BadMapping as error:
                event = Outcome(Result.BAD_MAPPING, error.reason, error.message, field=error.field)
            if isinstance(event, Outcome):
                outcomes[record.id] = event
            else:
                made.append((record, event))
        return made, outcomes


# -- settings ----------------------------------------------------------------------------------------------------------


def code_for_tests(where: Text, placeholder: str = "") -> Words:
    """The code that marks tests at the platform. ``where``: the menus that show it."""
    rule = Text(
        "Carried by test conversions only; without it they are not sent.",
        "Porté par les seules conversions de test ; sans lui elles ne partent pas.",
    )
    return Words(
        Text("Test event code", "Code d'évènement de test"),
        help=Text(f"{where.en} {rule.en}".strip(), f"{where.fr} {rule.fr}".strip()),
        placeholder=placeholder,
        load_default="",
    )


def lead_name_setting(not_this: str, default: str = "CheckoutAbandoned", longest: int = 50) -> Words:
    """The setting that names the event of the hub's stage lead. The platform's own ``not_this`` means something else."""
    return Words(
        Text("Name for abandoned checkouts", "Nom pour les paniers abandonnés"),
        help=Text(
            f"Used if you tick the stage Lead. Not “{not_this}”: to the platform that is a form someone filled in.",
            f"Sert si vous cochez l'étape Lead. Pas « {not_this} » : pour la plateforme c'est un formulaire rempli.",
        ),
        load_default=default,
        validate=validate.Length(1, longest),
    )


def limited_use_setting() -> Switch:
    """The flag LDU, which Meta, TikTok and Snapchat know under the same name."""
    return Switch(
        Text("Limited Data Use", "Utilisation limitée des données (LDU)"),
        help=Text(
            "The platform locates the person and applies US state laws.",
            "La plateforme localise la personne (lois d'États US).",
        ),
    )


def id_setting(label: Text, help: Text, placeholder: str, pattern: str = r"[0-9]{1,30}") -> Words:
    """A required id of the platform, which stands in an address: ``pattern`` is all it may be made of."""
    error = f"Copy it as it is shown: it looks like {placeholder}."
    return Words(
        label, help=help, placeholder=placeholder, required=True, validate=validate.Regexp(pattern + r"\Z", error=error)
    )


def token_setting(where: Text, label: Text | None = None) -> Secret:
    """The required ``access_token``. ``where``: the menus that make one."""
    given = validate.Length(min=1, error="Paste the token.")
    return Secret(label or Text("Access token", "Jeton d'accès"), help=where, required=True, validate=given)


def version_setting(default: str, pattern: str) -> Words:
    """The platform's version that stands in an address or a header, for the day when it retires this one."""
    return Words(
        Text("API version", "Version de l'API"),
        help=Text("Change it when the platform retires this one.", "À changer quand la plateforme retire celle-ci."),
        load_default=default,
        validate=validate.Regexp(pattern + r"\Z", error=f"Write it like {default}."),
    )


def stage_ids_setting(label: Text, help: Text) -> Paths:
    """Stage → the platform's own id for it, where a stage has no name but an object that the owner made there."""
    return Paths(label, names=dict(STAGE_LABELS), help=help)  # drawn with one row a stage


# -- what an event holds -----------------------------------------------------------------------------------------------


def by_fact(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """Mapped values under the facts' names: ``keys`` is the destination's own table, its key → the fact's name."""
    return {fact: values.get(key) for key, fact in keys.items()}


def identifiers(facts: Facts, wanted: Mapping[str, str]) -> dict[str, str]:
    """Normalized identifiers, not hashed. ``wanted``: platform's key → one of :data:`FORMS`. Others are left out."""
    found = ((key, FORMS[form](facts)) for key, form in wanted.items())
    return {key: value for key, value in found if value}


def hashed(facts: Facts, wanted: Mapping[str, str]) -> dict[str, str]:
    """As :func:`identifiers`, as SHA-256 in lower-case hex. A digest is not hashed again."""
    return {key: people.digest(value) or "" for key, value in identifiers(facts, wanted).items()}


def texts(facts: Facts, wanted: Mapping[str, str]) -> dict[str, str]:
    """What is sent as it is (addresses, browsers, click ids). ``wanted``: platform's key → fact. Empty ones are left out."""
    found = ((key, _plain(facts.get(fact))) for key, fact in wanted.items())
    return {key: value for key, value in found if value}


def need_one_of(found: Mapping[str, Any], enough: Sequence[str], field: str, words: str = "") -> None:
    """Raise BadMapping unless ``found`` has one of ``enough``, by which the platform can tell who it was."""
    if not any(found.get(key) for key in enough):
        message = words or "Nothing identifies the person: map an e-mail, a phone, an id or a click id."
        raise BadMapping(field, message)


def stage_name(record: Record, names: Mapping[Stage, str], lead: str = "") -> str:
    """The platform's name of the record's stage; ``lead`` for stages that the table leaves out."""
    if record.stage is None:
        raise BadMapping("event_name", "This conversion has no stage, so the platform has no event for it.")
    return names.get(record.stage) or lead


def id_of_stage(record: Record, ids: Mapping[str, str]) -> str | Outcome:
    """The owner's id for the record's stage out of :func:`stage_ids_setting`; a stage without one is passed over."""
    found = ids.get(record.stage or "")
    return found or Outcome.skipped("stage_not_accepted", "The settings name nothing for this stage at the platform.")


def event_id(record: Record) -> str:
    """The id shared with the platform's own pixel, if the mapping gives one, else the hub's, stable over all tries."""
    return text(record.values.get("event_id")) or record.event_id


def price(facts: Facts, *, needed: bool) -> tuple[int | float, str] | None:
    """Amount and ISO currency, or None. Never one without the other: a missing currency is not filled in."""
    amount, currency = number("value", facts.get("value")), money.currency_code(facts.get("currency"))
    if needed and (amount is None or currency is None):
        raise BadMapping(
            "value" if amount is None else "currency", "The platform refuses a sale without an amount and ISO currency."
        )
    return None if amount is None or currency is None else (amount, currency)


class Line(NamedTuple):
    """One order line. ``price`` is per unit."""

    id: str
    name: str | None
    category: str | None
    quantity: int | float
    price: int | float | None


def lines(given: Any) -> list[Line]:
    """The order lines that have an id (the product's, else its SKU). Anything but a list of objects is none."""
    found = []
    for item in given if isinstance(given, list) else []:
        if not isinstance(item, dict):
            continue
        quantity, each = number("items", item.get("quantity")), number("items", item.get("price"))
        line_id = text(item.get("product_id")) or text(item.get("sku"))
        if line_id:
            name, category = text(item.get("name")), text(item.get("category"))
            found.append(Line(line_id, name, category, 1 if quantity is None else quantity, each))
    return found


def line_objects(found: Sequence[Line], keys: Mapping[str, str | Callable[[Line], Any]]) -> list[dict[str, Any]]:
    """Order lines in a platform's own words: its key → the name in :class:`Line`, or what makes the value of the line.

    What is not known is left out.
    """
    return [
        without_empty({key: getattr(line, of) if isinstance(of, str) else of(line) for key, of in keys.items()})
        for line in found
    ]


def pieces(found: Sequence[Line]) -> int | float:
    """How many things were bought in all."""
    return sum(line.quantity for line in found)


def number(field: str, given: Any) -> int | float | None:
    """An amount or a quantity as JSON writes it. BadMapping when it is none, negative or endless."""
    if given is None or given == "":
        return None
    try:
        amount = float(given)
    except (TypeError, ValueError, OverflowError):
        raise BadMapping(field, "Not a number: map a plain amount such as 49.99.") from None
    if not 0 <= amount <= _LARGEST:
        raise BadMapping(field, "The platform takes no negative or endless amounts.")
    return int(amount) if amount.is_integer() else amount


def without_empty(event: Mapping[str, Any]) -> dict[str, Any]:
    """``event`` without its empty members."""
    return {key: value for key, value in event.items() if value not in (None, "", [], {})}


def _phone(facts: Facts) -> str | None:
    return people.phone(facts.get("phone"), text(facts.get("country")))


FORMS: Mapping[str, Callable[[Facts], str | None]] = {
    "email": lambda facts: people.email(facts.get("email")),
    "google_email": lambda facts: people.google_email(facts.get("email")),
    "phone": _phone,  # E.164 with its +
    "phone_digits": lambda facts: (_phone(facts) or "").lstrip("+"),
    "first_name": lambda facts: people.name(facts.get("first_name")),
    "last_name": lambda facts: people.name(facts.get("last_name")),
    "city": lambda facts: people.city(facts.get("city")),
    "region": lambda facts: people.region(facts.get("region"), text(facts.get("country"))),
    "postal_code": lambda facts: people.postal_code(facts.get("postal_code")),
    "country": lambda facts: (people.country(facts.get("country")) or "").lower(),
    "external_id": lambda facts: text(facts.get("external_id")),
}
"""The forms that platforms want identifiers in. No platform has one of its own beside these."""


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) else text(value)
