"""What Meta's answers mean, by the error code in the body.

Sources: developers.facebook.com/docs/graph-api/guides/error-handling, …/conversions-api/support, and the codes that
rudder-transformer (src/v0/util/facebookUtils/networkHandler.js) has met.
"""

from __future__ import annotations

from typing import Any

from hub.contract import BadCredentials, BadMapping, Refused, Reply, TryLater

_THROTTLED = {4, 17, 80003}
_PASSING = {1, 2, 341, 368, 5000, 21009}
_PERMANENT = {
    3: "the token's app may not do this. Generate the token in the Events Manager.",
    10: "the token lacks a permission. Give its user access to the pixel, then replay.",
    100: "something in the event, or the pixel id. Read Meta's words, fix the mapping or the settings, then replay.",
    105: "too many parameters. Map fewer fields, then replay.",
    200: "the token may not write to this pixel. Give its user access to the pixel, then replay.",
}
_TOO_OLD = 2804003
_NO_VALUE = 2804009


def raise_what_it_says(reply: Reply) -> None:
    """Raise the error that the body names; return when it names none that is known, and the HTTP status decides."""
    if reply.body.lstrip()[:1] == b"<":
        raise TryLater("Meta answered with a web page instead of data. The hub tries again.", detail="HTML")
    answer = reply.json()
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        _raise(error, reply.status)


def _raise(error: dict[str, Any], status: int) -> None:
    code, subcode = error.get("code"), error.get("error_subcode")
    said = str(error.get("error_user_msg") or error.get("error_user_title") or error.get("message") or "no words")
    detail = f"code {code}, subcode {subcode}: {said}"[:500]
    if code == 190:
        message = "Meta no longer accepts the access token. Generate a new one in the Events Manager and enter it."
        raise BadCredentials(message, status=status, detail=detail)
    if code in _THROTTLED:
        raise TryLater("Meta asks us to slow down.", whole_connection=True, detail=detail)
    if code in _PASSING or error.get("is_transient") is True:
        raise TryLater("Meta has a passing fault. The hub tries again.", detail=detail)
    if code == 100 and subcode == _NO_VALUE:
        raise BadMapping("value", "Meta wants an amount and a currency on a sale.", status=status, detail=detail)
    if code == 100 and subcode == _TOO_OLD:
        raise Refused("Too old: Meta takes events of the last 7 days.", status=status, detail=detail, reason="too_old")
    if code in _PERMANENT:
        raise Refused(f"Meta refused: {_PERMANENT[code]}", status=status, detail=detail)
