"""What is known of each checkout: where its page takes code, and what it fills in (platforms.json).

Where a checkout fills in nothing on its last page, its webhook is the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.contract import Text
from hub.toolkit.bundled_files import read_words


@dataclass(frozen=True)
class Platform:
    """``placeholders``: pixel field → template syntax. ``parameters``: pixel field → the page's own parameter.

    ``checked`` is the day on which the entry was compared with the vendor's own page, named in ``source``; empty means
    unconfirmed: from third parties, or not known; None means that there is no vendor.
    """

    name: Text
    where: Text
    placeholders: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    where_free: Text | None = None  # where sign-ups without a price are counted
    takes: str = "html"  # html, or shopify: a script in Shopify's own sandbox
    note: Text | None = None
    source: str = ""
    checked: str | None = ""

    @property
    def standing(self) -> Text | None:
        """“checked on …” or “unconfirmed”, to be said with every snippet."""
        if self.checked is None:
            return None
        if not self.checked:
            return Text("Unconfirmed: try it with a test sale.", "Non confirmé : essayez-le avec une vente de test.")
        return Text(f"Checked on {self.checked}.", f"Vérifié le {self.checked}.")


PLATFORMS = {name: Platform(**known) for name, known in read_words(__name__, "platforms.json").items()}
