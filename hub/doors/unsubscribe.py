"""The door behind the unsubscribe link of an e-mail: a POST does it, a GET shows a small page that asks.

Mail programs POST (RFC 8058); scanners of mail fetch every link, so a GET must change nothing.
"""

from __future__ import annotations

import hashlib
import logging
from base64 import b64encode

from flask import Blueprint, Response, request

from hub.contract.vocabulary import Text
from hub.doors.intake import hub
from hub.privacy.unsubscribe import PATH, person_of, unsubscribe
from hub.store import now

log = logging.getLogger(__name__)
door = Blueprint("unsubscribe_door", __name__)


@door.route(f"{PATH}/<token>", methods=["GET", "HEAD", "POST"])
def stop(token: str) -> Response:
    """Whoever has the address may stop these e-mails: it was sent to that person alone."""
    if person_of(token) is None:
        return _page(404, _WRONG)
    if request.method != "POST":
        return _page(200, _QUESTION, _BUTTON)
    try:
        with hub().store.write() as tx:
            unsubscribe(tx, now(), token)
    except Exception:
        log.exception("somebody could not be unsubscribed")
        return _page(503, _LATER)
    return _page(200, _DONE)


def _page(status: int, said: Text, button: Text | None = None) -> Response:
    language = request.accept_languages.best_match(["en", "fr"]) or "en"
    form = f'<form method="post"><button>{button.in_(language)}</button></form>' if button else ""
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>'
        f"{_TITLE.in_(language)}</title><style>{_STYLE}</style></head><body><main><h1>{_TITLE.in_(language)}</h1>"
        f"<p>{said.in_(language)}</p>{form}</main></body></html>"
    )
    return Response(page, status, headers=_HEADERS, mimetype="text/html")


_TITLE = Text("Unsubscribe", "Se désinscrire")
_QUESTION = Text("Do you want to stop these e-mails?", "Voulez-vous ne plus recevoir ces e-mails ?")
_BUTTON = Text("Stop them", "Me désinscrire")
_DONE = Text("Done: you will get no more of these e-mails.", "C'est fait : vous ne recevrez plus ces e-mails.")
_LATER = Text(
    "This did not work just now. Please try again in a few minutes.",
    "Cela n'a pas fonctionné. Veuillez réessayer dans quelques minutes.",
)
_WRONG = Text(
    "This link is not complete. Please use the one in the e-mail.",
    "Ce lien est incomplet. Veuillez utiliser celui de l'e-mail.",
)
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1rem;color:#1c1c28}"
    "button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#2b4acb;color:#fff;cursor:pointer}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
