"""Running a destination without a network: the calls it would make, and how they are shown to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.connecting.batches import batches
from hub.connecting.masking import MASK, mask_for
from hub.contract import Call, ConnectorBroken, DeliveryError, Destination, Outcome, Recipe, Record, Reply
from hub.contract.auth import Auth, OAuth1, OAuth2, OAuth2ClientCredentials, ServiceAccount, SignedBody
from hub.contract.calls import MOST_CALLS, with_params
from hub.contract.connector import Connector

Settings = Mapping[str, Any]
Answer = Callable[[Call], Reply]
"""Answers a call, or raises the DeliveryError that is raised at the recipe's yield."""


@dataclass(slots=True)
class Planned:
    """One call, and the ids of the records that led to it."""

    call: Call
    records: list[str]


@dataclass(slots=True)
class DryRun:
    """What a destination would do: its calls in order, and an outcome or an error for each record's id."""

    calls: list[Planned] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)


def drive(recipe: Recipe, answer: Answer) -> Any:
    """Run ``recipe``, answering its calls; returns its result. What the recipe raises comes through."""
    try:
        call = next(recipe)
        for _ in range(MOST_CALLS):
            try:
                reply = answer(call)
            except DeliveryError as error:
                call = recipe.throw(error)
            else:
                call = recipe.send(reply)
    except StopIteration as stop:
        return stop.value
    raise ConnectorBroken(f"The connector made {MOST_CALLS} calls for one message and would go on.")


def dry_run(destination: Destination, records: Sequence[Record], settings: Settings, answer: Answer) -> DryRun:
    """Deliver ``records`` to ``answer`` instead of the platform, in the batches the hub would make."""
    run = DryRun()
    for together in batches(destination, records, settings):
        ids = [record.id for record in together]
        recorded = _Recorded(run, ids, answer)
        try:
            result = drive(destination.deliver(together if destination.batch else together[0], settings), recorded)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the connector raises is this run's finding
            run.errors.update(dict.fromkeys(ids, error))
            continue
        given = result if isinstance(result, dict) else dict.fromkeys(ids, result) if result else {}
        run.outcomes.update({record_id: given.get(record_id) or Outcome.delivered() for record_id in ids})
    return run


def show(call: Call, connector: Connector, settings: Settings) -> dict[str, Any]:
    """The call as people may see it: ``method``, ``url``, ``headers``, ``body``; every secret is ``***``."""
    content, content_type = call.content()
    headers = dict(call.headers)
    if content_type:
        headers.setdefault("Content-Type", content_type)
    params = dict(call.params or {})
    if call.authenticate:
        _show_auth(connector, settings, headers, params)
    if call.idempotency_key:
        headers["webhook-id" if isinstance(connector.auth, SignedBody) else "Idempotency-Key"] = call.idempotency_key
    shown = {
        "method": call.method,
        "url": with_params(call.url, params, safe="*"),
        "headers": headers,
        "body": call.json if call.json is not None else dict(call.form) if call.form is not None else _text(content),
    }
    hidden: dict[str, Any] = mask_for(connector, settings)(shown)
    return hidden


class _Recorded:
    """Notes each call before it is answered."""

    def __init__(self, run: DryRun, ids: list[str], answer: Answer) -> None:
        self.run, self.ids, self.answer = run, ids, answer

    def __call__(self, call: Call) -> Reply:
        self.run.calls.append(Planned(call, self.ids))
        return self.answer(call)


def _show_auth(connector: Connector, settings: Settings, headers: dict[str, str], params: dict[str, str]) -> None:
    if isinstance(connector.auth, SignedBody):
        headers["webhook-signature"] = MASK
    if scheme := _scheme(connector.auth):
        headers["Authorization"] = f"{scheme} {MASK}"
    added: dict[str, str] = {}
    added_params: dict[str, str] = {}
    try:
        connector.auth.apply(settings, added, added_params)
    except (KeyError, TypeError):  # a credential is not filled in yet
        added["Authorization"] = MASK
    for name, value in added.items():
        scheme, space, _ = value.partition(" ")
        headers[name] = f"{scheme} {MASK}" if space else MASK
    params.update(dict.fromkeys(added_params, MASK))


def _scheme(auth: Auth) -> str:
    """What stands before a credential that only the sender has; empty where ``auth`` itself adds it."""
    if isinstance(auth, OAuth2):
        return auth.prefix
    return "OAuth" if isinstance(auth, OAuth1) else "Bearer" if isinstance(auth, _FETCHED) else ""


_FETCHED = (OAuth2ClientCredentials, ServiceAccount)


def _text(content: bytes) -> str | None:
    return content.decode("utf-8", "replace") if content else None
