"""Make: conversions that a scenario pushes with its HTTP module."""

from __future__ import annotations

from typing import ClassVar

from hub.contract import Snippet, Status, Text
from hub.toolkit.automation import TOKEN, RecordSource


class MakeSource(RecordSource):
    """What a scenario found elsewhere."""

    slug = "make"
    name = "Make"
    status = Status.BETA
    homepage = "https://www.make.com"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            f"Make › your scenario › + › HTTP › Make a request › URL, Method POST, Headers {TOKEN}, Body type Raw, JSON",
            f"Make › votre scénario › + › HTTP › Make a request › URL, Method POST, Headers {TOKEN}, Body type Raw, JSON",
        ),
        note=Text(
            "The body is one object: stage (purchase, lead, refund …), email, order_id, value, currency.",
            "Le corps est un objet : stage (purchase, lead, refund …), email, order_id, value, currency.",
        ),
    )
