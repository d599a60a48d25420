"""Granting access in a real browser, whose policy for pages forbids forms that lead elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from granted import installed
from shop import Shop
from vendor import CLIENT, SECRET, vendor

from hub.settings import settings
from hub.steer import connections as steer
from hub.store import now

if TYPE_CHECKING:
    from conftest import Windows


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("width", "language", "done"), [(360, "fr", "est connectée"), (1280, "en", "is connected")])
def test_the_button_leads_to_the_platform_and_back(
    window: Windows, shop: Shop, monkeypatch: pytest.MonkeyPatch, width: int, language: str, done: str, scripts: bool
) -> None:
    looker = window(width, language, scripts=scripts)
    monkeypatch.setenv("HUB_BASE_URL", looker.address)
    settings.cache_clear()
    with installed(), vendor(redirect_uri=f"{looker.address}/oauth/callback") as platform:
        with shop.store.write() as tx:
            connection_id = steer.connect(
                tx,
                now(),
                shop.workspace_id,
                connector="cloud",
                role="destination",
                name="Cloud",
                settings={"login": platform.url, "client_id": CLIENT, "client_secret": SECRET},
            )
        looker.log_in(language)
        looker.open(f"/connections/{connection_id}")
        assert looker.spills() <= 0
        looker.page.locator("#access button.main").click()
        looker.page.locator("#access .badge-recorded").wait_for()
        assert done in looker.page.locator("[role=status]").inner_text()
        assert looker.spills() <= 0
        assert len(platform.asked) == 1
    looker.page.goto("about:blank")
