"""What the benchmarks send: signed checkouts of 2 KB and pixel hits, each of them a sale of its own."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode

SECRET = "whsec_benchmark_0123456789abcdef"
NAMES = ("Ada", "Grace", "Emmy", "Marie", "Sofia", "Rosalind", "Lise", "Hedy")


def webhooks(path: str, first: int) -> Iterator[bytes]:
    """Whole HTTP requests without end: a paid Stripe Checkout session, signed as Stripe signs, numbered from ``first``."""
    for number in itertools.count(first):
        at = int(time.time())
        body = checkout(number, at)
        signature = hmac.new(SECRET.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
        yield (
            b"POST %s HTTP/1.1\r\nHost: hub.example\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
            b"Accept: */*\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-cache\r\n"
            b"Stripe-Signature: t=%d,v1=%s\r\nContent-Length: %d\r\n\r\n%s"
            % (path.encode(), at, signature.encode(), len(body), body)
        )


def hits(path: str, first: int) -> Iterator[bytes]:
    """Whole HTTP requests without end: the pixel on a thank-you page."""
    for number in itertools.count(first):
        query = urlencode(
            {
                "email": f"buyer{number}@example.com",
                "orderId": f"p-{number}",
                "amount": "49.99",
                "currency": "EUR",
                "webinarId": "3",
                "offer": "spring-launch",
                "productName": "Watercolour Basics",
            }
        )
        yield (
            f"GET {path}?{query} HTTP/1.1\r\nHost: hub.example\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0\r\n"
            "Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n"
            "Accept-Language: en-US,en;q=0.5\r\nReferer: https://shop.example/thank-you\r\n\r\n"
        ).encode()


def mixed(paths: str, first: int) -> Iterator[bytes]:
    """Seven pixel hits for three webhooks; ``paths`` are theirs, with a comma between."""
    pixel, _, door = paths.partition(",")
    kinds = {True: hits(pixel, first), False: webhooks(door, first)}
    for number in itertools.count():
        yield next(kinds[number % 10 < 7])


def checkout(number: int, at: int) -> bytes:
    """A ``checkout.session.completed`` event as Stripe sends it, about 2 KB. Every third buyer has bought before."""
    buyer = number - number % 3 if number % 3 == 2 else number
    session = _SESSION | {
        "id": f"cs_live_{number:056d}",
        "payment_intent": f"pi_{number:024d}",
        "created": at,
        "amount_subtotal": 4999,
        "amount_total": 4999,
        "customer": f"cus_{buyer:014d}",
        "customer_details": {
            "address": {
                "city": "Lyon",
                "country": "FR",
                "line1": "1 rue de la Paix",
                "line2": None,
                "postal_code": "69001",
                "state": None,
            },
            "email": f"buyer{buyer}@example.com",
            "name": f"{NAMES[buyer % len(NAMES)]} Benchmark",
            "phone": f"+336{buyer % 100_000_000:08d}",
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "metadata": {"webinarId": "3", "utm_source": "newsletter", "offer": "spring-launch"},
    }
    event = {
        "id": f"evt_{number:024d}",
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": at,
        "data": {"object": session},
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return json.dumps(event, indent=1).encode()


_SESSION = {
    "object": "checkout.session",
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "status": None},
    "billing_address_collection": None,
    "cancel_url": "https://shop.example/cancel",
    "client_reference_id": None,
    "consent": None,
    "currency": "eur",
    "customer_creation": "always",
    "customer_email": None,
    "expires_at": 2648406355,
    "livemode": True,
    "locale": None,
    "mode": "payment",
    "payment_link": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "payment_status": "paid",
    "phone_number_collection": {"enabled": True},
    "recovered_from": None,
    "setup_intent": None,
    "shipping": None,
    "shipping_options": [],
    "status": "complete",
    "submit_type": None,
    "subscription": None,
    "success_url": "https://shop.example/thank-you?session_id={CHECKOUT_SESSION_ID}",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "url": None,
}
