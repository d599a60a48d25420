"""What a sender's event means, in one word: the right-hand side of a source's table of events.

EVENTS = {"order.paid": PURCHASE, "order.refunded": REFUND, "cart.abandoned": ABANDONED}
conversion = Conversion(event_id, **EVENTS["order.paid"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.contract.vocabulary import Kind, Stage

Meaning = Mapping[str, Any]
"""Arguments of Conversion."""

PURCHASE: Meaning = {"stage": Stage.PURCHASE}
RENEWAL: Meaning = {"kind": Kind.RENEWAL, "stage": Stage.PURCHASE, "recurring": True}
REGISTRATION: Meaning = {"stage": Stage.COMPLETE_REGISTRATION}
PAYMENT_INFO: Meaning = {"stage": Stage.ADD_PAYMENT_INFO}
CHECKOUT: Meaning = {"stage": Stage.INITIATE_CHECKOUT}
ABANDONED: Meaning = {"stage": Stage.LEAD, "reason": "abandoned"}
REFUSED: Meaning = {"stage": Stage.LEAD, "reason": "refused"}
PENDING: Meaning = {"kind": Kind.PENDING}
REFUND: Meaning = {"kind": Kind.REFUND}
DISPUTE: Meaning = {"kind": Kind.DISPUTE}
CANCELLATION: Meaning = {"kind": Kind.CANCELLATION, "recurring": True}
CONTACT: Meaning = {"kind": Kind.CONTACT}

MAYBE_RENEWAL = "maybe_renewal"
"""A flag for the charge of a subscription that its sender does not number: the hub knows which one came first."""
