"""IPN messages as conversions (developer.paypal.com/api/nvp-soap/ipn/IPNandPDTVariables)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from hub.contract import Conversion, Inbound, Item, Kind, NotUnderstood, Stage
from hub.contract.money import decimal
from hub.toolkit.conversion_facts import Facts, first_text, major_money, read_person, refused, sale_names, told
from hub.toolkit.paths import required_text, text
from hub.toolkit.tracking import tracking_pairs

Form = Mapping[str, str]
OLD_CHARSET = "windows-1252"  # of accounts that never chose another; the simulator does not say
MOST_ITEMS = 200
_PAID = {"stage": Stage.PURCHASE}
_STATES: dict[str, Facts] = {
    "Completed": _PAID,
    "Processed": _PAID,
    "Created": {"kind": Kind.PENDING},
    "Pending": {"kind": Kind.PENDING},
    "In-Progress": {"kind": Kind.PENDING},
    "Refunded": {"kind": Kind.REFUND},
    "Partially_Refunded": {"kind": Kind.REFUND},
    "Reversed": {"kind": Kind.REFUND},
    "Canceled_Reversal": {"kind": Kind.REFUND},
    **{state: refused() for state in ("Denied", "Failed", "Declined", "Voided", "Expired")},
}
_REVERSALS = ("Reversed", "Canceled_Reversal")  # the second gives back what the first took
_CANCELLED = ("subscr_cancel", "recurring_payment_profile_cancel")
_UNPAID = (
    "subscr_failed",
    "recurring_payment_failed",
    "recurring_payment_skipped",
    "recurring_payment_suspended_due_to_max_failed_payment",
)
_CHARGES = ("subscr_payment", "recurring_payment", "recurring_payment_outstanding_payment")
_BUYER = {
    "email": "payer_email",
    "phone": "contact_phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "external_id": "payer_id",
    "city": "address_city",
    "region": "address_state",
    "postal_code": "address_zip",
    "country": ("address_country_code", "residence_country"),
}


def read_message(inbound: Inbound) -> Conversion | None:
    """The conversion in a message; None when its state or type is not for us."""
    form = inbound.form(inbound.form("latin-1").get("charset") or OLD_CHARSET)
    plan, state = first_text(form, "subscr_id", "recurring_payment_id"), text(form.get("payment_status"))
    facts = _payment(form, state) if state else _plan(form, plan)
    if facts is None:
        return None
    custom = text(form.get("custom"))
    pairs = tracking_pairs(custom)
    facts |= {
        "subscription_id": plan,
        "recurring": plan is not None,
        "test": form.get("test_ipn") == "1",
        "contact": read_person(form, _BUYER),
        "extra": {"custom": custom} if custom and not pairs else {},
    }
    return told(facts, (form.get("payment_date"), form.get("subscr_date")), inbound.received_at, custom=pairs)


def _payment(form: Form, state: str) -> Facts | None:
    if state not in _STATES:
        raise NotUnderstood("The status of this payment is new to us.", detail=state[:40])
    number, parent = required_text(form, "txn_id"), text(form.get("parent_txn_id"))
    amount, facts = decimal(form["mc_gross"]), dict(_STATES[state])
    if amount is None:
        raise ValueError("a payment without an amount")
    words = first_text(form, "reason_code", "pending_reason")
    if facts.get("kind") is Kind.REFUND:
        facts |= {"money_id": f"{parent or number}:reversal" if state in _REVERSALS else number, "reason": words}
        amount = Decimal(0) if state == "Canceled_Reversal" else abs(amount)
        names = sale_names(parent or number, form.get("invoice"))
    else:
        names = sale_names(parent, number, form.get("invoice"))
        facts |= refused(words) if facts.get("stage") is Stage.LEAD else {"reason": words if "kind" in facts else None}
        if form.get("txn_type") in _CHARGES:
            facts["flags"] = ["maybe_renewal"]  # nothing tells the first charge from later ones
            names = sale_names(parent, number)  # the invoice number is the same in all of them
    return {
        "event_id": f"{number}:{state}",
        "items": _items(form),
        **names,
        **facts,
        **major_money(amount, form.get("mc_currency")),
    }


def _plan(form: Form, plan: str | None) -> Facts | None:
    """A message about a subscription without a payment."""
    kind = form.get("txn_type", "")
    if kind not in (*_CANCELLED, *_UNPAID) or plan is None:
        return None
    told = first_text(form, "ipn_track_id", "subscr_date", "time_created") or "once"
    meaning: Facts = {"kind": Kind.CANCELLATION} if kind in _CANCELLED else refused(form.get("reason_code"))
    return {"event_id": f"{plan}:{kind}:{told}", **meaning}


def _items(form: Form) -> list[Item]:
    """One item without a number, or a cart's with numbers; only a cart's have amounts of their own."""
    items = []
    for number in ("", *(str(each) for each in range(1, MOST_ITEMS))):
        name, sku = text(form.get(f"item_name{number}")), text(form.get(f"item_number{number}"))
        if not (name or sku):
            if number:
                break
            continue
        quantity = decimal(form.get(f"quantity{number}")) or Decimal(1)
        total = decimal(form.get(f"mc_gross_{number}")) if number else None
        price = total / quantity if total is not None and total * 100 % quantity == 0 else None
        items.append(Item(sku=sku, name=name, quantity=quantity, price=price))
    return items
