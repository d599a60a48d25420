"""A pixel's fields, by the names that pages use for them."""

from __future__ import annotations

from hub.toolkit.cleaning import CLICK_IDS, UTM_NAMES
from hub.toolkit.query_strings import spellings

_NAMES = (
    "webinarId",
    "tag",
    "email",
    "amount",
    "currency",
    "orderId",
    "productId",
    "productName",
    "stage",
    "firstName",
    "lastName",
    "phone",
    "coupon",
    "externalId",
    "offer",
    "consent",
    "test",
    "time",
    "ip",
    "userAgent",
    "pageUrl",
    "referrer",
    "ts",
    "sig",
    *CLICK_IDS,
    *(f"utm_{part}" for part in UTM_NAMES),
)
_SAME = {
    "webinar": "webinarId",
    "campaign": "webinarId",
    "campaignId": "webinarId",
    "offerId": "offer",
    "order": "orderId",
}
KNOWN = spellings(_NAMES, also=_SAME)
