"""Zapier: conversions that a Zap pushes, by “Webhooks by Zapier” or by the app's action “Record Conversion”."""

from __future__ import annotations

from typing import ClassVar

from hub.contract import Snippet, Text
from hub.toolkit.automation import TOKEN, RecordSource


class ZapierSource(RecordSource):
    """What a Zap found elsewhere, such as a row of a spreadsheet or an answer to a form."""

    slug = "zapier"
    name = "Zapier"
    homepage = "https://zapier.com"
    snippet: ClassVar[Snippet] = Snippet(
        menu_path=Text(
            f"Zapier › your Zap › + › Webhooks by Zapier › POST › URL, Payload type: json, Data, Headers: {TOKEN}",
            f"Zapier › votre Zap › + › Webhooks by Zapier › POST › URL, Payload type : json, Data, Headers : {TOKEN}",
        ),
        note=Text(
            "In Data, one line for each field: stage (purchase, lead, refund …), email, order_id, value, currency.",
            "Dans Data, une ligne par champ : stage (purchase, lead, refund …), email, order_id, value, currency.",
        ),
    )
