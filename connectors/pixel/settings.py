"""What a person sets on a pixel."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from hub.contract import Choice, Currency, LongWords, Number, Secrets, SettingsSchema, Stage
from hub.contract.vocabulary import STAGE_LABELS
from hub.toolkit.bundled_files import read_words

_WORDS = read_words(__name__)["settings"]


class PixelSettings(SettingsSchema):
    """Defaults for what a hit leaves out, and limits on what anyone may claim through a public address."""

    currency = Currency(**_WORDS["currency"], load_default="")
    stage = Choice(**_WORDS["stage"], choices=STAGE_LABELS, load_default=Stage.PURCHASE.value)
    minimum = Number(**_WORDS["minimum"], load_default=None, allow_none=True)
    maximum = Number(**_WORDS["maximum"], load_default=None, allow_none=True)
    cookie = Choice(**_WORDS["cookie"], load_default="with_consent")
    allowed_pages = LongWords(**_WORDS["allowed_pages"], load_default="")
    secret = Secrets(**_WORDS["secret"])

    @validates_schema
    def _check_limits(self, data: dict[str, Any], **_: Any) -> None:
        minimum, maximum = data["minimum"], data["maximum"]
        if minimum is not None and maximum is not None and minimum > maximum:
            raise ValidationError("The largest amount must not be below the smallest.", "maximum")
