"""What CRMs have in common: one contact for each person, and the hub's own fields on it, created on request.

The hub's fields have one key everywhere (``hub_summary``). A CRM that gives fields names of its own (ids, hashes) is
asked for its list, and the two are joined by the field's title, "Hub summary", in any writing: ``Hub_Summary__c``,
``HUB_SUMMARY``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from hub.contract.calls import Call, Outcome, Outcomes, Recipe, Record, Reply, Result
from hub.contract.connector import Destination, Field, Limits
from hub.contract.errors import BadCredentials, BadMapping, DeliveryError, Refused, TryLater
from hub.contract.vocabulary import Category, Kind, Stage, Text
from hub.toolkit.email_tools import TAKEN_KINDS, USUAL_STAGES, require_email
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import PROFILE, fields_for

HUB_KEYS: Mapping[str, str] = {f"hub_{name}": name for name in PROFILE}
"""The hub's own fields: the summary, and each purchase fact by itself. Key → the fact's name."""

HUB_FIELDS = fields_for(HUB_KEYS)
_LABELS = {field.key: field.label for field in HUB_FIELDS}

LISTED_FOR = 600  # seconds that a delivery may rely on an account's list of fields

Listed = dict[str, Field]
"""An account's fields: the CRM's own key → the field to map, whose key is the hub's where the field is the hub's."""


def title(key: str) -> str:
    """``hub_order_id`` → ``Hub order id``: what a field of the hub's is called in the CRM."""
    return key.replace("_", " ").capitalize()


def hub_key(name: Any) -> str | None:
    """The hub's key for a CRM's title or key of a field, None when that field is not the hub's."""
    key = re.sub(r"[^a-z]+", "_", (text(name) or "").lower()).strip("_").removesuffix("_c").removeprefix("x_")
    key = key.removeprefix("cf_").removeprefix("contact_")
    return key if key in HUB_KEYS else None


def listed_field(
    key: str,
    label: Any,
    type: str,
    *,
    types: Mapping[str, Any],
    names: Sequence[Any] = (),
    options: Iterable[tuple[Any, Any]] = (),
    required: bool = False,
) -> Field:
    """One field of an account. ``type`` is the CRM's word, ``types`` what it means (else text).

    It is taken for the hub's own when its key, its label, or one of ``names`` says so.
    """
    own = next((found for name in (key, label, *names) if (found := hub_key(name))), None)
    said = text(label) or key
    return Field(
        own or key,
        _LABELS[own] if own else Text(said, said),
        types.get(type, "text"),
        required,
        group="profile" if own else "account",
        options=tuple((value, text(name) or value) for each, name in options if (value := text(each))),
    )


def listed_fields(
    rows: Any,
    key: str,
    label: str,
    type: str = "",
    *,
    types: Mapping[str, Any],
    prefix: str = "",
    names: Sequence[str] = (),
    options: str = "",
    option: tuple[str, str] = ("", ""),
    required: str = "",
    wanted: Callable[[Mapping[str, Any]], Any] = bool,
) -> Listed:
    """An account's fields out of the ``rows`` of a CRM's answer. What is no object, or has no key, is passed over.

    ``key``, ``label``, ``type``, ``names`` and ``required`` are paths in one row, ``options`` is the path of its choices,
    and ``option`` are the paths of value and label in one choice ("" for a choice that is a text itself). ``prefix`` goes
    before each key. ``wanted`` says which rows count. Each field is made by :func:`listed_field`.
    """
    found: Listed = {}
    for row in rows if isinstance(rows, list) else []:
        own = text(dig(row, key)) if isinstance(row, dict) and wanted(row) else None
        if own is None:
            continue
        choices = dig(row, options) if options else None
        found[prefix + own] = listed_field(
            prefix + own,
            dig(row, label),
            (text(dig(row, type)) or "") if type else "",
            types=types,
            names=[dig(row, name) for name in names],
            options=[(dig(choice, option[0]), dig(choice, option[1])) for choice in choices or []],
            required=bool(required) and dig(row, required) is True,
        )
    return found


def expected(own_key: Callable[[str], str] = str) -> Listed:
    """The hub's own fields as they are once created, for a preview, where no account answers.

    ``own_key`` makes the tool's key of the hub's.
    """
    return {own_key(field.key): field for field in HUB_FIELDS}


class Crm(Destination):
    """A CRM. It says how its API lists an account's fields and creates one; check, discover and prepare follow."""

    category = Category.CRM
    kinds = TAKEN_KINDS
    default_stages = USUAL_STAGES
    limits = Limits(concurrency=1)  # two calls at once about a new person would make two of them
    sends_tests = False  # nothing in a CRM says "test"
    created: ClassVar[Sequence[Field]] = HUB_FIELDS  # the fields it can create
    exists_already: ClassVar[Collection[int]] = (409,)  # statuses that say so when a field is created

    def list_fields(self, settings: Mapping[str, Any], cache_seconds: int = 0) -> Generator[Call, Reply, Listed]:
        """Ask for the account's writable fields of a contact."""
        raise NotImplementedError
        yield

    def create_field(self, field: Field, settings: Mapping[str, Any]) -> Recipe | None:
        """A recipe that creates one of the hub's fields, titled :func:`title`; None: its API cannot."""
        return None

    def check(self, settings: Mapping[str, Any]) -> Recipe:
        """Whether the key may read the fields, and whether the hub's own are there."""
        missing = yield from self._missing(settings)
        if not missing:
            return f"{self.name} knows this key, and the hub's fields are there."
        if type(self).create_field is Crm.create_field:
            names = ", ".join(title(field.key) for field in missing)
            return f"{self.name} knows this key. Create these fields there to have them filled: {names}."
        return f"{self.name} knows this key. Press Prepare to create the hub's fields there."

    def discover(self, settings: Mapping[str, Any]) -> Recipe:
        """Its fixed fields, the hub's, and those of the account."""
        listed = yield from self.list_fields(settings)
        of_account = {field.key: field for field in listed.values()}
        return list((of_account | {field.key: field for field in self.fields}).values())

    def prepare(self, settings: Mapping[str, Any]) -> Recipe | None:
        """Create the hub's fields that are missing; one that exists already is left alone."""
        return None if type(self).create_field is Crm.create_field else self._prepare(settings)

    def _prepare(self, settings: Mapping[str, Any]) -> Recipe:
        missing = yield from self._missing(settings)
        for field in missing:
            recipe = self.create_field(field, settings)
            try:
                yield from recipe or ()
            except Refused as error:
                if error.status not in self.exists_already:
                    raise
        if not missing:
            return f"{self.name} has all the hub's fields already."
        return f"Created {len(missing)} fields in {self.name}."

    def _missing(self, settings: Mapping[str, Any]) -> Generator[Call, Reply, list[Field]]:
        listed = yield from self.list_fields(settings)
        known = {field.key for field in listed.values()}
        return [field for field in self.created if field.key not in known]


def by_account_key(
    values: Mapping[str, Any], listed: Listed, fixed: Collection[str]
) -> tuple[dict[str, tuple[Field, Any]], str]:
    """(What the mapping filled, but for the ``fixed`` fields, by the CRM's own key: the field and the value; a warning).

    The warning names what the account has no field for. It is empty when there is nothing to say.
    """
    keys = {field.key: (key, field) for key, field in listed.items()}
    found: dict[str, tuple[Field, Any]] = {}
    strangers = []
    for name, value in values.items():
        if name in fixed or value in (None, "", [], {}):
            continue
        if name in keys:
            key, field = keys[name]
            found[key] = field, value
        else:
            strangers.append(title(name) if name in HUB_KEYS else name)
    left_out = f"Left out, since the account has no such field: {', '.join(strangers)}." if strangers else ""
    return found, left_out


def is_sale(record: Record) -> bool:
    """Whether it tells something of an order: bought, renewed, given up, given back."""
    return record.kind in (Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE) or record.stage in (Stage.PURCHASE, Stage.LEAD)


def flat(value: Any) -> Any:
    """A list as one text; anything else as it is."""
    return ", ".join(str(part) for part in value) if isinstance(value, list) else value


def said(reply: Reply, *paths: str) -> str:
    """A CRM's own words: what stands at the first of ``paths`` that holds any, a list joined; "" when none does."""
    body = reply.json()
    for path in paths:
        found = dig(body, path)
        words = [text(each) for each in (found if isinstance(found, list) else [found])]
        if any(words):
            return "; ".join(filter(None, words))[:500]
    return ""


class Person(NamedTuple):
    """All that a batch says about one person."""

    email: str
    values: dict[str, Any]
    records: list[Record]

    def outcomes(self, outcome: Outcome) -> Outcomes:
        """The same outcome for each of the person's records."""
        return {record.id: outcome for record in self.records}


def people_of(records: Sequence[Record], crm: str, key: str, outcomes: Outcomes) -> list[Person]:
    """One entry for each e-mail of a batch, the latest value of each field wins. ``key``: the e-mail's field.

    A CRM would refuse a call that names somebody twice, or make two people. Records without an e-mail go to ``outcomes``.
    """
    people: dict[str, Person] = {}
    for record in sorted(records, key=lambda record: record.occurred_at):
        try:
            email = require_email(record, crm, key)
        except BadMapping as error:
            outcomes[record.id] = Outcome(Result.BAD_MAPPING, error.reason, error.message, field=key)
            continue
        person = people.setdefault(email, Person(email, {}, []))
        person.values.update({name: value for name, value in record.values.items() if value not in (None, "", [], {})})
        person.values[key] = email
        person.records.append(record)
    return list(people.values())


def find_or_create(
    find: Call, found: Callable[[Reply], str | None], update: Callable[[str], Call], create: Call
) -> Generator[Call, Reply, Reply]:
    """Look somebody up, then update or create them. Returns the answer to the second call.

    For CRMs without an upsert. Use it only where one call at a time is made (:attr:`Crm.limits`): two at once would both
    create the same person.
    """
    known = found((yield find))
    return (yield create if known is None else update(known))


Verdict = Literal["later", "slower", "credentials", "field", "refused"]
"""What a CRM's own error code stands for. "slower": a limit that everything we send there shares."""


def refusal(
    crm: str, verdict: Verdict, words: str, *, status: int = 0, field: str = "", after: float | None = None
) -> DeliveryError:
    """The error that ``verdict`` stands for."""
    if verdict in ("later", "slower"):
        throttled = verdict == "slower"
        message = f"{crm} asks us to slow down." if throttled else f"{crm} cannot take it at the moment."
        return TryLater(message, after=after, whole_connection=throttled, detail=words)
    if verdict == "credentials":
        return BadCredentials(f"{crm} refused this key, or what it may do.", status=status, detail=words)
    if verdict == "field":
        return BadMapping(field, f"{crm} refused the field {field or '(unnamed)'}.", status=status, detail=words)
    return Refused(f"{crm} refused the record.", status=status, detail=words)


def row_outcome(verdict: Verdict | None, words: str, field: str = "") -> Outcome:
    """The outcome of one record of a batch that ``verdict`` stands for, as :func:`refusal` is the error of a whole call.

    ``field`` is the CRM's name of the field that it does not take. Without one, the record is refused.
    """
    if verdict in ("later", "slower"):
        return Outcome(Result.TRY_LATER, detail=words)
    if verdict == "field" and field:
        return Outcome(Result.BAD_MAPPING, "refused_by_destination", words, field=field)
    return Outcome.refused(words)
