"""Google Ads through the Data Manager API, which Google asks new products to use since June 2026.

Sources, under developers.google.com/data-manager/api: reference/rest/v1/events/ingest, …/audienceMembers, …/requestStatus,
devguides/concepts/limits, devguides/concepts/errors, devguides/diagnostics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, validate, validates_schema

from connectors.google_ads.event import KEYS, build_event, build_member, conversion_action, destination
from hub.contract import (
    Batch,
    Call,
    Choice,
    Field,
    Kind,
    Limits,
    OAuth2,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Reply,
    Result,
    Secret,
    SettingsSchema,
    Text,
    TryLater,
    Words,
)
from hub.toolkit import ads
from hub.toolkit.ads import AdPlatform
from hub.toolkit.paths import dig, text
from hub.toolkit.standard_fields import fields_for, mapping_for

API = "https://datamanager.googleapis.com/v1"
ACCOUNT = r"[0-9]{3}-?[0-9]{3}-?[0-9]{4}"
ROW = re.compile(r"(?:events|[mM]embers)\[([0-9]+)\]")
FIRST_LOOK = 900.0  # seconds; Google needs some minutes to judge a request
SIX_HOURS, A_MINUTE = 6 * 3600.0, 60.0  # seconds to wait
# Why a whole request failed, where that is not simply a refusal.
VERDICTS = {
    "DUPLICATE_TRANSACTION_ID": Result.DUPLICATE,
    "DUPLICATE_GCLID": Result.DUPLICATE,
    "EVENT_TOO_OLD": Result.EXPIRED,
    "DENIED_CONSENT": Result.SKIPPED,
    "NO_CONSENT": Result.SKIPPED,
    "UNKNOWN_CONSENT": Result.SKIPPED,
    "TOO_RECENT_CLICK": Result.TRY_LATER,
    "INTERNAL_ERROR": Result.TRY_LATER,
}
REASONS = {Result.DUPLICATE: "had_it_already", Result.EXPIRED: "too_old", Result.SKIPPED: "no_consent"}
_CLIENT = Text("Google Cloud console → Clients.", "Console Google Cloud → Clients.")


class GoogleAdsSettings(SettingsSchema):
    """The account, the owner's OAuth client, and the conversion actions or the list."""

    customer_id = ads.id_setting(
        Text("Google Ads customer id", "Numéro client Google Ads"),
        Text("At the top right of Google Ads.", "En haut à droite dans Google Ads."),
        "123-456-7890",
        ACCOUNT,
    )
    login_customer_id = Words(
        Text("Manager account", "Compte administrateur"),
        help=Text("Only if you reach the account through one.", "Seulement si vous passez par lui."),
        placeholder="123-456-7890",
        load_default="",
        validate=validate.Regexp(f"({ACCOUNT})?\\Z", error="It looks like 123-456-7890."),
    )
    client_id = Words(Text("OAuth client id", "ID client OAuth"), help=_CLIENT, required=True)
    client_secret = Secret(Text("OAuth client secret", "Code secret OAuth"), help=_CLIENT, required=True)
    sends = Choice(
        Text("What to send", "Que faut-il envoyer"),
        {
            "conversions": Text("Conversions", "Des conversions"),
            "audience": Text("People, to a Customer Match list", "Des personnes, vers une liste de clients"),
        },
        help=Text("A list needs a connection of its own.", "Une liste demande sa propre connexion."),
        load_default="conversions",
    )
    conversion_actions = ads.stage_ids_setting(
        Text("Conversion action of each stage", "Action de conversion de chaque étape"),
        Text(
            "Its number: ctId in the address of the action's page. Stages left out are not sent.",
            "Son numéro : ctId dans l'adresse de la page de l'action. Sans numéro, l'étape ne part pas.",
        ),
    )
    audience_id = Words(
        Text("Customer Match list id", "Identifiant de la liste de clients"),
        help=Text("Audience manager → the list → its address.", "Gestionnaire d'audiences → la liste → son adresse."),
        load_default="",
        validate=validate.Regexp(r"[0-9]*\Z", error="It is a number."),
    )

    @validates_schema
    def _a_list_has_its_number(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("sends") == "audience" and not data.get("audience_id"):
            raise ValidationError("Enter the number of the list.", "audience_id")


class GoogleAds(AdPlatform):
    """Conversions, refunds as lower values, and Customer Match. Google judges a request minutes after taking it."""

    slug = "google_ads"
    name = "Google Ads"
    homepage = "https://developers.google.com/data-manager/api"
    Settings = GoogleAdsSettings
    auth = OAuth2(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        scopes=("https://www.googleapis.com/auth/datamanager",),
        parameters={"access_type": "offline", "prompt": "consent"},
    )
    kinds = frozenset({Kind.CONVERSION, Kind.REFUND, Kind.CONTACT})
    amends = frozenset({Kind.REFUND})  # Google counts a transaction id that it never saw as a new sale
    batch = Batch(max_records=2000)
    limits = Limits(per_second=5)  # 300 a minute
    fields = (
        *fields_for(KEYS),
        Field("audience_action", Text("List: add or remove", "Liste : ajouter (add) ou retirer (remove)")),
        ads.EVENT_ID,
    )
    default_mapping: ClassVar[Mapping[str, Any]] = mapping_for(KEYS) | {
        # What is left of the order, also for a sale that is sent after its refund.
        "value": {
            "if": {"path": "kind", "op": "equals", "value": "refund"},
            "then": {"from": "order.net"},
            "else": {
                "if": {"path": "stage", "op": "equals", "value": "purchase"},
                "then": {"first": [{"from": "order.net"}, {"from": "value"}]},
                "else": {"from": "value"},
            },
        },
        "audience_action": {
            "if": {"path": "order.status", "op": "in", "value": ["refunded", "disputed"]},
            "then": {"value": "remove"},
            "else": {"value": "add"},
        },
    }

    def group(self, record: Record, settings: Mapping[str, Any]) -> str:
        """One conversion action, or one way into or out of the list, a request: its verdict is then of one kind."""
        return f"{super().group(record, settings)} {_target(record, settings)}"

    def event(self, record: Record, settings: Mapping[str, Any]) -> Mapping[str, Any] | Outcome:
        """An event or a member; BadMapping for what would make Google refuse its whole request."""
        if settings["sends"] == "audience":
            return build_member(record)
        action = conversion_action(record, settings)
        return action if isinstance(action, Outcome) else build_event(record)

    def request(self, events: Sequence[Mapping[str, Any]], first: Record | None, settings: Mapping[str, Any]) -> Call:
        """Events or members for one destination; tests, and the probe, are only validated."""
        method, product_id = _target(first, settings)
        body: dict[str, Any] = {
            "destinations": [destination(settings, product_id)],
            "events" if method == "events:ingest" else "audienceMembers": events,
            "encoding": "HEX",
        }
        if method == "audienceMembers:ingest":
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        if first is None or first.test:
            body["validateOnly"] = True
        return Call.post(f"{API}/{method}", json=body, timeout=30.0)

    def told(self, reply: Reply, records: Sequence[Record]) -> Outcomes:
        """Taken, with the verdict to be asked for; what is only validated has none."""
        ticket = text(dig(reply.json(), "requestId"))
        if records[0].test or not ticket:
            return self.preset_outcomes(records, Outcome(Result.ACCEPTED_UNVERIFIED, detail="Validated, not kept."))
        return self.preset_outcomes(records, Outcome.pending(ticket, FIRST_LOOK))

    def poll(self, ticket: str, settings: Mapping[str, Any]) -> Recipe:
        """Google's verdict on one request. It counts reasons, but names no events."""
        reply = yield Call.get(f"{API}/requestStatus:retrieve", params={"requestId": ticket})
        status = dig(reply.json(), "requestStatusPerDestination[0]")
        return verdict(status, ticket)

    def judge(self, reply: Reply) -> Outcome | None:
        """A 400 names the events that spoil the request; a 429 says whether the minute or the day is used up."""
        error = dig(reply.json(), "error")
        words = text(dig(error, "message")) or ""
        if reply.status == 429:
            daily = any("PerDay" in str(each) for each in dig(error, "details[].metadata.quota_limit") or [])
            wait = SIX_HOURS if daily else A_MINUTE
            raise TryLater("Google's quota is used up.", after=wait, whole_connection=True, detail=words)
        broken = dig(error, "details[].fieldViolations[]") or [] if reply.status == 400 else []
        rows = {}
        for each in (one for some in broken for one in some):
            found = ROW.search(text(dig(each, "field")) or "")
            if found:
                rows[int(found[1])] = f"{dig(each, 'field')}: {text(dig(each, 'description')) or words}"[:500]
        if rows:
            raise ads.RowsRefused(rows, "Google refused some of these, and so all.", status=400, detail=words)
        return None


def verdict(status: Any, ticket: str) -> Outcome:
    """What the status of one destination says of all records of its request."""
    state = text(dig(status, "requestStatus")) or ""
    if state in ("", "PROCESSING", "REQUEST_STATUS_UNKNOWN"):
        return Outcome.pending(ticket, FIRST_LOOK)
    errors, warnings = _counts(status, "errorInfo.errorCounts[]"), _counts(status, "warningInfo.warningCounts[]")
    words = ", ".join(f"{reason} ({count})" for reason, count in (errors | warnings).items())
    if state != "FAILED":
        return Outcome.delivered(words)
    results = {VERDICTS.get(reason, Result.REFUSED) for reason in errors}
    result = results.pop() if len(results) == 1 else Result.REFUSED
    if result is Result.TRY_LATER:
        return Outcome(result, detail=words, after=SIX_HOURS)
    return Outcome(result, REASONS.get(result, "refused_by_destination"), words)


def _counts(status: Any, path: str) -> dict[str, str]:
    found = {}
    for each in dig(status, path) or []:
        reason = (text(dig(each, "reason")) or "UNKNOWN").removeprefix("PROCESSING_ERROR_REASON_")
        found[reason.removeprefix("PROCESSING_WARNING_REASON_")] = text(dig(each, "recordCount")) or "?"
    return found


def _target(record: Record | None, settings: Mapping[str, Any]) -> tuple[str, str]:
    if settings["sends"] == "audience":
        leaves = record is not None and record.values.get("audience_action") == "remove"
        return ("audienceMembers:remove" if leaves else "audienceMembers:ingest"), settings["audience_id"]
    action = conversion_action(record, settings) if record else next(iter(settings["conversion_actions"].values()), "1")
    return "events:ingest", action if isinstance(action, str) else ""
