"""What became of messages: the stored verdicts, in order of arrival, checked against the closed list of reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from journey.world import World
from sqlalchemy import select

from hub.contract.reasons import REASONS
from hub.store import inbound
from hub.store.base import Row

FINAL = {"done", "ignored", "parked", "refused"}


def rows(hub: World, table: Any) -> list[Row]:
    """This workspace's rows, in the order they were made."""
    with hub.store.read() as tx:
        statement = select(table).where(table.c.workspace_id == hub.workspace_id)
        return list(tx.execute(statement.order_by(table.c.id)).mappings())


def messages(hub: World) -> list[Row]:
    """Every message after all work is done: each in a final state, with a reason said in both languages."""
    hub.work()
    found = rows(hub, inbound.inbound)
    for row in found:
        assert row["state"] in FINAL, (row["state"], row["reason"])
        assert row["reason"] != "internal_error", row["detail"]
        said, action = REASONS[row["reason"]]
        assert all([said.en, said.fr, action.en, action.fr])
    return found


def told(hub: World, cases: Mapping[str, str] | Iterable[tuple[str, str]], send: Callable[[str], Any]) -> None:
    """Send each case; assert that each became one message, with the reason that the case expects."""
    pairs = list(cases.items() if isinstance(cases, Mapping) else cases)
    before = len(messages(hub))
    for case, _ in pairs:
        send(case)
    found = messages(hub)[before:]
    assert len(found) == len(pairs)
    wrong = {
        case[:120]: (row["reason"], row["detail"])
        for (case, reason), row in zip(pairs, found, strict=True)
        if row["reason"] != reason
    }
    assert not wrong, wrong
