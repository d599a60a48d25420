"""The pages in a real browser: both languages, phone and desk, no sideways scrolling, nothing said in the console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from shop import SALE, Shop

if TYPE_CHECKING:
    from conftest import Windows

SIZES = (360, 1280)
LANGUAGES = ("en", "fr")

CONTRAST = Path(__file__).with_name("contrast.js").read_text()


def fill(shop: Shop) -> dict[str, str]:
    """Something of everything on the lists; returns the pages to walk, by name."""
    good = shop.hit(SALE + "&productName=" + "Aquarelle%20" * 20)
    shop.fail(shop.deliveries[0]["id"])
    parked = shop.hit("email={{email}}&amount=5&currency=EUR&orderId=" + "x" * 3)
    shop.hit("email=" + "long" * 15 + "%40example.com&orderId=" + "9" * 80 + "&amount=123456.78&currency=EUR&test=1")
    return {
        "home": "/",
        "live": "/live",
        "filtered": "/live?stage=add_to_cart",
        "sale": f"/live/{good}",
        "parked": f"/live/{parked}",
        "connections": "/connections",
        "source": f"/connections/{shop.source_id}",
        "destination": f"/connections/{shop.destination_id}",
        "remove": f"/connections/{shop.source_id}/remove",
        "route": f"/routes/{shop.route['id']}",
        "sources": "/connections/new/source",
        "destinations": "/connections/new/destination",
        "form": "/connections/new/source/webhook",
    }


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_its_window_and_the_console_stays_silent(
    window: Windows, shop: Shop, language: str, width: int
) -> None:
    pages = fill(shop)
    looker = window(width, language)
    looker.log_in(language)
    for name, path in pages.items():
        looker.open(path)
        assert looker.page.locator("html").get_attribute("lang") == language, name
        assert looker.page.locator("h1").count() == 1, name
        assert looker.spills() <= 0, name
    assert looker.complaints == []


@pytest.mark.parametrize("width", SIZES)
def test_before_the_login_pages_fit_as_well(window: Windows, width: int) -> None:
    for language in LANGUAGES:
        looker = window(width, language)
        for path in ("/setup", "/login"):
            looker.open(path)
            assert looker.page.locator("html").get_attribute("lang") == language
            assert looker.spills() <= 0
        assert looker.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(window: Windows, shop: Shop, dark: bool) -> None:
    pages = fill(shop)
    looker = window(1280, "en", dark=dark)
    looker.log_in("en")
    weak: dict[str, Any] = {}
    for name, path in pages.items():
        looker.open(path)
        found = looker.page.evaluate(CONTRAST)
        if found:
            weak[name] = found
    assert weak == {}


def test_a_hub_is_set_up_and_a_source_connected_with_the_keyboard_alone(window: Windows) -> None:
    looker = window(1280, "en")
    page = looker.page
    looker.open("/")
    page.wait_for_url("**/setup")
    page.keyboard.type("Atelier")
    page.focus("#email")
    page.keyboard.type("anna@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("a long enough password")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{looker.address}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    looker.open("/connections/new/source/pixel")
    page.focus("#name")
    page.keyboard.press("Enter")
    page.wait_for_url("**/connections/*-*?new=1")
    assert page.locator("pre").first.inner_text().startswith("<img")
    assert looker.complaints == []


def test_the_live_list_takes_in_new_messages_by_itself(window: Windows, shop: Shop) -> None:
    shop.hit()
    looker = window(1280, "en")
    looker.log_in("en")
    looker.open("/live")
    assert looker.page.locator(".live-row").count() == 1
    shop.hit("email=paul%40example.com&orderId=2&amount=5&currency=EUR")
    looker.page.locator(".live-row >> nth=1").wait_for(timeout=8000)
    assert "2 messages today" in looker.page.locator("h1").inner_text()
    looker.page.locator("#hold").click()
    shop.hit("email=lea%40example.com&orderId=3&amount=5&currency=EUR")
    looker.page.wait_for_timeout(4000)
    assert looker.page.locator(".live-row").count() == 2
    assert looker.complaints == []


def test_an_address_is_copied_with_one_press(window: Windows, shop: Shop) -> None:
    looker = window(1280, "en")
    looker.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    looker.log_in("en")
    looker.open(f"/connections/{shop.source_id}")
    looker.page.locator("[data-copy=paste-1]").click()
    looker.page.get_by_text("Copied").first.wait_for()
    assert looker.page.evaluate("navigator.clipboard.readText()").startswith("<img")


def test_a_button_pressed_twice_in_a_row_acts_once(window: Windows, shop: Shop) -> None:
    looker = window(1280, "en")
    looker.log_in("en")
    looker.open("/connections/new/source/pixel")
    looker.page.locator("button[data-once]").dblclick(no_wait_after=True)
    looker.page.wait_for_url("**/connections/*-*?new=1")
    looker.open("/connections")
    assert looker.page.locator(".tile .cover").count() == 3


def test_reading_and_saving_work_without_scripts(window: Windows, shop: Shop) -> None:
    message_id = shop.hit()
    looker = window(360, "fr", scripts=False)
    looker.open("/login")
    looker.page.fill("#email", "owner@example.com")
    looker.page.fill("#password", "a long enough password")
    looker.page.locator("button.main").click()
    looker.open(f"/live/{message_id}")
    assert looker.page.locator("h2", has_text="Received").count() == 1
    looker.open(f"/connections/{shop.source_id}")
    looker.page.fill("#name", "Renamed")
    looker.page.locator("#settings-title ~ form button.main").click()
    looker.open("/connections")
    assert looker.page.get_by_text("Renamed").count() == 1


def test_the_menu_opens_and_closes_on_a_phone(window: Windows, shop: Shop) -> None:
    looker = window(360, "en")
    looker.log_in("en")
    menu = looker.page.locator("#menu")
    assert not menu.is_visible()
    looker.page.locator("[popovertarget=menu]").click()
    assert menu.is_visible()
    looker.page.keyboard.press("Escape")
    assert not menu.is_visible()
    looker.page.locator("[popovertarget=menu]").click()
    menu.get_by_role("link", name="Live").click()
    looker.page.wait_for_url("**/live")
