"""The pixel against what pages, editors, templates, bots and forgers send. Each case names its reason or its value."""

import json
from datetime import timedelta

import pytest
from hits import BROWSER, COOKIE, NOW, hit, read, reason, settings
from hypothesis import given
from hypothesis import strategies as st

from connectors.pixel.source import Pixel
from hub.contract import NotUnderstood, Stage
from hub.contract.reasons import REASONS
from hub.normalize import read_message

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
    "{{email}}",
    "{{ customer.email }}",
    "{email}",
    "{checkout.email}",
    "__EMAIL__",
    "%EMAIL%",
    "%ADDRESS%",
    "[EMAIL]",
    "REPLACE",
    "OPTIONAL",
    "undefined",
    "null",
    "NaN",
    "None",
    "[object Object]",
    "%7B%7Bemail%7D%7D",
    "${email}",
    "*|EMAIL|*",
    "{CHECKOUT_SESSION_ID}",
    "{%25 if x %25}",
]


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
    "text",
    [
        "jane",
        "jane.example.org",
        "@example.org",
        "jane@",
        "a@b.fr,c@d.fr",
        "a@b.fr%20c@d.fr",
        "jane@localhost",
        "a" * 310 + "@b.fr",
        "j%E2%80%A2%E2%80%A2@b.fr",
        "a@b@c.fr",
    ],
)
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


# Any hit at all


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
