"""What somebody agreed to: a surer "no" stands, whatever arrives when, and whoever it is found to belong to."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journey.sale import NOON, Atelier, Told, pixel, webhook
from journey.test_one_sale import VISITOR, in_any_order

from hub.contract import Trust
from hub.store import Store, contacts
from hub.store.contacts import ConsentRow

WORDS = st.tuples(st.booleans(), st.sampled_from(Trust), st.integers(0, 4))
"""What was answered, how sure, in which minute."""


def says(minute: int, answer: str, trust: Trust) -> Told:
    return webhook(
        minute,
        trust=trust,
        kind="contact",
        event_id=f"e{minute}{trust}",
        email="anna@example.com",
        consent={"email": answer},
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(1, "no", Trust.PROVEN), (2, "yes", Trust.CLAIMED)], False),
        ([(1, "no", Trust.MANUAL), (2, "yes", Trust.IMPORTED)], False),
        ([(1, "no", Trust.IMPORTED), (2, "yes", Trust.CLAIMED)], False),
        ([(1, "no", Trust.PROVEN), (2, "yes", Trust.MANUAL)], True),
        ([(1, "no", Trust.CLAIMED), (2, "yes", Trust.CLAIMED)], True),
        ([(1, "yes", Trust.PROVEN), (2, "no", Trust.CLAIMED)], False),
        (
            [(1, "no", Trust.PROVEN), (2, "yes", Trust.PROVEN), (3, "no", Trust.CLAIMED), (4, "yes", Trust.CLAIMED)],
            True,
        ),
        ([(1, "no", Trust.PROVEN), (2, "no", Trust.CLAIMED), (3, "yes", Trust.CLAIMED)], False),
    ],
)
def test_a_yes_lifts_no_surer_no_in_any_order(store: Store, told: list[tuple[int, str, Trust]], expected: bool) -> None:
    for order in itertools.islice(itertools.permutations(told), 6):
        atelier = Atelier(store)
        for word in order:
            atelier.read([says(*word)])
        assert atelier.consents() == {"email": expected}, order


def test_an_opt_out_of_a_visitor_goes_over_to_the_address_that_turns_up_later(store: Store) -> None:
    books = in_any_order(
        store,
        [
            webhook(1, trust=Trust.PROVEN, kind="contact", customer_id="c1", event_id="out", consent={"email": "no"}),
            webhook(
                2,
                trust=Trust.PROVEN,
                order_id="5",
                customer_id="c1",
                email="anna@example.com",
                amount="9",
                currency="EUR",
            ),
            webhook(3, order_id="6", email="anna@example.com", amount="9", currency="EUR", consent={"email": "yes"}),
            pixel(4, cookie=VISITOR, orderId="6", consent="email"),
        ],
    )
    assert books.consents()["email"] is False


@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(WORDS, max_size=6), data=st.data())
def test_words_put_in_any_order_and_split_over_two_contacts_say_the_same(
    store: Store, words: list[tuple[bool, Trust, int]], data: st.DataObject
) -> None:
    with store.write() as tx:
        tx.execute(contacts.consent.delete())
        for granted, trust, minute in data.draw(st.permutations(words)):
            contacts.put_consents(tx, [row(data.draw(st.sampled_from(["old", "new"])), granted, trust, minute)])
        contacts.pass_on(tx, "old", "new")
        found = contacts.consents_of(tx, ["old", "new"])
    assert found == ({("new", "email"): agreed(words)} if words else {})


def agreed(words: list[tuple[bool, Trust, int]]) -> bool:
    """The rule, word by word in the order of time: what stands against the person's agreement at the end."""
    doubt = [(Trust.PROVEN, Trust.MANUAL), (Trust.IMPORTED,), (Trust.CLAIMED,)]
    standing: set[Trust] = set()
    yes = False
    for granted, trust, _ in sorted(words, key=lambda word: (word[2], not word[0])):
        if granted:
            yes = True
            place = next(place for place, alike in enumerate(doubt) if trust in alike)
            standing -= {one for alike in doubt[place:] for one in alike}
        else:
            standing.add(trust)
    return yes and not standing


def row(contact_id: str, granted: bool, trust: Trust, minute: int) -> ConsentRow:
    return ConsentRow(contact_id, "email", granted, trust.value, "w", "test", NOON + timedelta(minutes=minute))
