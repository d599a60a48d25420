"""What a connector is. It declares data; it has a method only for what data cannot say.

A connector does no I/O, holds no clock and no retry. It imports ``hub.contract``, ``hub.toolkit``, marshmallow and the
standard library. Read ``connectors/stripe/source.py`` (a source whose signature carries a time),
``connectors/thinkific/source.py`` (one whose signature does not) and ``connectors/zapier/destination.py`` (a
destination) for whole examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from hub.contract.auth import Auth
from hub.contract.calls import Outcome, Outcomes, Recipe, Record, Reply
from hub.contract.conversion import Conversion
from hub.contract.inbound import Inbound
from hub.contract.settings import SettingsSchema
from hub.contract.vocabulary import Category, Kind, Stage, Status, Text

Settings = Mapping[str, Any]
"""A connector's settings after loading, secrets in clear. Names as declared in its ``Settings`` schema."""

ALL_STAGES = frozenset(Stage)
MONEY_KINDS = frozenset({Kind.CONVERSION, Kind.RENEWAL, Kind.REFUND, Kind.DISPUTE})


class Connector:
    """What both roles share."""

    slug: ClassVar[str]  # the folder's name
    name: ClassVar[str]  # as its vendor writes it
    category: ClassVar[Category]
    status: ClassVar[Status] = Status.STABLE
    contract: ClassVar[int] = 1
    homepage: ClassVar[str] = ""
    Settings: ClassVar[type[SettingsSchema]] = SettingsSchema
    settings_version: ClassVar[int] = 1
    auth: ClassVar[Auth] = Auth()

    def upgrade_settings(self, settings: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring settings saved by an older version up to ``settings_version``."""
        return settings

    def check(self, settings: Mapping[str, Any]) -> Recipe | None:
        """A recipe that proves the credentials work and returns a sentence for people; None when nothing can be asked."""
        return None


@dataclass(frozen=True)
class Snippet:
    """What a person copies from us to the sender, and where to."""

    menu_path: Text  # the exact path of menus at the sender
    events: tuple[str, ...] = ()  # the events to tick
    placeholders: Mapping[str, str] | None = None  # pixel field → the platform's own syntax on its thank-you page
    note: Text | None = None
    checked: str = ""  # ISO date of the check against the vendor; empty: unconfirmed


@dataclass(frozen=True)
class Paste:
    """One ready-made piece of code that a person copies to another place."""

    title: Text
    code: str
    where: Text  # the exact path of menus
    note: Text | None = None


class Source(Connector):
    """Turns raw messages of one sender into conversions."""

    stages: ClassVar[frozenset[Stage]] = frozenset()  # what it can emit
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CONVERSION})
    identity_headers: ClassVar[tuple[str, ...]] = ()  # beside the body, what tells two messages apart (a topic header)
    signs_body: ClassVar[bool] = True  # False: the sender only shows a token, which does not cover the body
    signs_time: ClassVar[bool] = False  # True: the signature carries a time, so stale and future messages are refused
    read_back_proves: ClassVar[bool] = False  # True: what :meth:`fetch` read back is the whole truth, so it is proven
    resend_is_news: ClassVar[bool] = False  # True: byte-equal messages are separate hits (a pixel's page refresh)
    own_order_numbers: ClassVar[bool] = False  # True: each account counts its own orders (1001, 1002 …), as another may
    takes_records: ClassVar[bool] = False  # True: what is recorded through the REST API may come in by this one
    door: ClassVar[Literal["webhook", "pixel"]] = "webhook"  # "pixel": a public, numbered address that answers an image
    snippet: ClassVar[Snippet | None] = None
    SnippetChoices: ClassVar[type[SettingsSchema] | None] = None  # the form of its snippet builder; None: it has none

    def snippets(self, address: str, choices: Mapping[str, Any]) -> list[Paste]:
        """The code to paste for these ``choices`` (as loaded by ``SnippetChoices``). ``address`` is ours, without query."""
        return []

    def columns(self, header: Sequence[str], settings: Settings) -> Mapping[str, Text] | None:
        """How the columns of a CSV file are read: column → what it is taken for. None: its page takes no files.

        Each row then comes to :meth:`normalize` as a JSON object of texts, empty cells left out.
        """
        return None

    def may_set_cookie(self, inbound: Inbound, settings: Settings) -> bool:
        """Whether the door may give this visitor our first-party cookie (``hub_visitor``) in its answer."""
        return False

    def handshake(self, inbound: Inbound, settings: Settings) -> Reply | None:
        """The answer to a set-up call (challenge, ping), which is not kept; None for ordinary messages."""
        return None

    def verify(self, inbound: Inbound, settings: Settings) -> Recipe | None:
        """Raise NotVerified unless the message is the sender's. Returning means *proven*.

        Must work on ``inbound.body`` byte for byte and compare in constant time (:mod:`hub.toolkit.signing`). May be a
        generator when something has to be fetched first (a certificate, the sender's own verdict).
        Raise :class:`Unsigned` when the sender signs nothing and the secret address is all there is: trust *claimed*.
        """
        raise NotImplementedError

    def rehearse(self, body: bytes, settings: Settings, at: datetime, key: bytes) -> dict[str, str] | None:
        """The headers with which this sender would sign ``body`` at ``at`` (aware UTC), for test messages and the demo.

        ``key`` is the connector's own ``samples/demo.key`` (empty when there is none), for senders whose private key
        nobody else has. None: this sender's messages cannot be made by us; {}: they are not signed.
        """
        return None

    def needs_fetch(self, inbound: Inbound, settings: Settings) -> bool:
        """Whether :meth:`fetch` has something to read back for this message."""
        return False

    def fetch(self, inbound: Inbound, settings: Settings) -> Recipe:
        """Read back what the message leaves out; returns a dict that becomes ``inbound.fetched``.

        It is stored as JSON in between, so a Decimal in it comes back as text. ``{}``: nothing was found, and nothing is
        asked again.
        """
        raise NotImplementedError
        yield

    def normalize(self, inbound: Inbound, settings: Settings) -> Iterable[Conversion]:
        """The conversions in the message. It depends on nothing but its arguments. ``[]`` means "genuine, but not for us".

        Index what must be there and ``.get`` what may be missing: a KeyError, TypeError, IndexError, AttributeError or
        ValueError here becomes "not understood", the message is parked and can be replayed after a fix.
        """
        raise NotImplementedError


class Unsigned(Exception):
    """Raised by :meth:`Source.verify` when this sender signs nothing: the message counts as *claimed*."""


@dataclass(frozen=True)
class Field:
    """One field that a destination takes, as the mapping page shows it."""

    key: str
    label: Text
    type: Literal["text", "email", "phone", "number", "integer", "money", "boolean", "datetime", "list", "object"] = (
        "text"
    )
    required: bool = False
    help: Text | None = None
    group: str = ""
    options: tuple[tuple[str, str], ...] = ()  # (value, label)
    max_length: int | None = None


ANY_FIELDS: tuple[Field, ...] = ()
"""``fields = ANY_FIELDS``: whatever keys the mapping makes are sent on."""


@dataclass(frozen=True)
class Batch:
    """How a platform takes many records in one request. One that is too long (413) is halved by the hub.

    ``whole_batch_fails``: one bad record makes the platform refuse all, so the hub halves a refused request until the bad
    record stands alone. False: the platform sorts good from bad itself; a refusal is about the request, and counts for all.
    """

    max_records: int
    whole_batch_fails: bool = True


@dataclass(frozen=True)
class Limits:
    """What the platform can stand. ``per_second`` is requests, for the whole connection."""

    per_second: float | None = None
    concurrency: int = 4


class Destination(Connector):
    """Sends mapped conversions to one receiver."""

    stages: ClassVar[frozenset[Stage]] = ALL_STAGES  # what it accepts
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CONVERSION})
    default_stages: ClassVar[frozenset[Stage] | None] = None  # ticked on a new route; None: all of ``stages``
    purpose: ClassVar[Literal["ads", "email", "analytics"] | None] = (
        None  # the consent it needs; None: the owner's own tool
    )
    fields: ClassVar[Sequence[Field]] = ANY_FIELDS
    default_mapping: ClassVar[Mapping[str, Any]] = {}  # the mapping language, see hub/mapping/rules.py
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    batch: ClassVar[Batch | None] = None
    amends: ClassVar[frozenset[Kind]] = frozenset()  # kinds that change a purchase; never sent where that one was not
    max_age: ClassVar[int | None] = None  # seconds since ``occurred_at`` after which the platform refuses
    limits: ClassVar[Limits] = Limits()
    subscribes: ClassVar[bool] = (
        False  # True: what subscribes through the REST API (/hooks) may be connected by this one
    )
    hook_hosts: ClassVar[tuple[str, ...]] = ()  # patterns of its subscribers' hosts; the longest that fits decides
    sends_tests: ClassVar[bool] = True  # False: test conversions never go there (no way to mark them)

    def discover(self, settings: Settings) -> Recipe | None:
        """A recipe that returns the list of Field this account has; None when ``fields`` is all there is."""
        return None

    def prepare(self, settings: Settings) -> Recipe | None:
        """A recipe that creates at the platform what deliveries need (property groups, custom fields); None: nothing.

        Must be harmless when run again. Called by the page's "Prepare" button and before the first delivery; returns a
        sentence for people.
        """
        return None

    def group(self, record: Record, settings: Settings) -> str:
        """Records with different groups never share a batch (test and live, different lists)."""
        return "test" if record.test else "live"

    def deliver(self, record: Any, settings: Settings) -> Recipe:
        """Send. Gets one Record, or a list of them when ``batch`` is declared.

        Raise Refused, BadMapping, TryLater … for what cannot be sent. Returns an Outcome (batch: a dict of record id →
        Outcome); returning None means all were delivered. A reply outside 2xx has already been raised at the yield, after
        :meth:`judge`.
        """
        raise NotImplementedError
        yield

    def poll(self, ticket: str, settings: Settings) -> Recipe:
        """Ask for the verdict on what was answered with :meth:`Outcome.pending`.

        Returns one Outcome for all records of that ticket, or a dict of record id → Outcome; ``pending`` again to be asked
        again later.
        """
        raise NotImplementedError
        yield

    def judge(self, reply: Reply) -> Outcome | None:
        """Read an answer the way this platform means it. Called for every reply.

        Raise a DeliveryError when it says no (also inside a 200), or return the Outcome that a success means here. None
        leaves it to the HTTP status (:mod:`hub.outgoing.answers`).
        """
        return None

    def preset_outcomes(self, records: Sequence[Record], outcome: Outcome) -> Outcomes:
        """The same outcome for each of ``records``."""
        return {record.id: outcome for record in records}
