"""Podia sends no webhooks and has no API (help.podia.com, article 11370276): what Zapier tells of it comes in here."""

from __future__ import annotations

from typing import ClassVar

from hub.contract import Category, Kind, Snippet, Stage, Status, Text
from hub.toolkit.automation import RecordSource


class Podia(RecordSource):
    """Flat records that a Zap posts, with the keys of :mod:`hub.toolkit.flat_form`."""

    slug = "podia"
    name = "Podia"
    category = Category.COURSES
    status = Status.BETA
    homepage = "https://www.podia.com"
    stages = frozenset({Stage.PURCHASE, Stage.COMPLETE_REGISTRATION})
    kinds = frozenset({Kind.CONVERSION, Kind.CANCELLATION})
    takes_records = False
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            "Zapier › Create Zap › trigger: Podia › action: Webhooks by Zapier › POST, payload type JSON",
            "Zapier › Create Zap › déclencheur : Podia › action : Webhooks by Zapier › POST, payload type JSON",
        ),
        note=Text(
            "Podia itself sends nothing. Without Zapier, put the pixel into Podia › Settings › Analytics › Third-party "
            "code: it sees visits, and no amounts.",
            "Podia n'envoie rien lui-même. Sans Zapier, mettez le pixel dans Podia › Settings › Analytics › Third-party "
            "code : il voit les visites, sans montants.",
        ),
    )
