"""Which hits of the pixel are counted, and how far they are believed: bots, pages, signatures."""

import hashlib
import hmac

import pytest
from hits import NOW, hit, read, reason, trust

from hub.contract import NotVerified, Trust

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
