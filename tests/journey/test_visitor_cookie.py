"""The first-party visitor cookie: given with consent, recognized when it comes back, never an identity by itself at first."""

from __future__ import annotations

from world import world

from hub.store import Store, contacts, conversions, inbound


def test_a_visitor_given_a_cookie_is_the_person_whose_mail_comes_with_it_later(store: Store) -> None:
    with world(store) as made:
        pixel = f"/v1/conversion/pixel/{made.connect('pixel', 'source')['number']}"
        first = made.client.get(f"{pixel}?stage=view_content&consent=analytics&email=ada@example.com")
        assert "hub_visitor=" in first.headers["Set-Cookie"]
        made.client.get(f"{pixel}?consent=analytics&amount=49&currency=EUR&orderId=5")  # the test client sends it back
        made.work()
        with store.read() as tx:
            bought = next(row for row in conversions.latest(tx, made.workspace_id) if row["stage"] == "purchase")
            person = contacts.get(tx, bought["contact_id"])
        assert bought["identified_by"] == "cookie"
        assert person is not None
        assert person["email"] == "ada@example.com"


def test_a_cookie_given_this_moment_names_nobody(store: Store) -> None:
    with world(store) as made:
        pixel = f"/v1/conversion/pixel/{made.connect('pixel', 'source')['number']}"
        made.client.get(f"{pixel}?consent=analytics&amount=49&currency=EUR")
        made.work()
        with store.read() as tx:
            kept = inbound.latest(tx, made.workspace_id)[0]
        assert (kept["state"], kept["reason"]) == ("parked", "no_usable_identity")


def test_without_consent_no_cookie_is_given(store: Store) -> None:
    with world(store) as made:
        pixel = f"/v1/conversion/pixel/{made.connect('pixel', 'source')['number']}"
        answer = made.client.get(f"{pixel}?email=ada@example.com&amount=49&currency=EUR&orderId=5")
        assert "Set-Cookie" not in answer.headers
