"""The code a person pastes: an image, a script that reads the page's own address, or Shopify's sandboxed pixel."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.pixel.platforms import PLATFORMS, Platform
from hub.contract import Choice, Currency, Paste, SettingsSchema, Switch, Text, Words
from hub.contract.vocabulary import STAGE_LABELS

FIELDS = ("email", "amount", "currency", "orderId", "productId", "productName")  # in the order of the pixel's fields
Pairs = Sequence[tuple[str, str]]


class SnippetForm(SettingsSchema):
    """What the snippet builder asks."""

    platform = Choice(
        Text("Where do people pay?", "Où les gens paient-ils ?"),
        {key: platform.name for key, platform in PLATFORMS.items()},
        help=Text("It fills in the checkout's own syntax.", "Remplit la syntaxe propre à l'outil de paiement."),
        load_default="own",
    )
    webinars = Words(
        Text("Webinars or campaigns", "Webinaires ou campagnes"),
        help=Text(
            "Their ids. Several: the sale counts for whichever the buyer took part in.",
            "Leurs identifiants. Plusieurs : la vente compte pour celui que l'acheteur a suivi.",
        ),
        placeholder="12, 15",
        load_default="",
    )
    tag = Words(
        Text("Or one tag", "Ou un seul tag"),
        help=Text(
            "All campaigns that carry it, now or later. Used when no webinar is given.",
            "Toutes les campagnes qui le portent, maintenant ou plus tard. Sert si aucun webinaire n'est indiqué.",
        ),
        load_default="",
    )
    currency = Currency(
        Text("Currency", "Devise"),
        help=Text("When you sell in one currency.", "Si vous vendez dans une seule devise."),
        placeholder="EUR",
        load_default="",
    )
    stage = Choice(
        Text("Stage", "Étape"),
        {"": Text("As set on the source", "Celle de la source")} | STAGE_LABELS,
        help=Text("What a visit of that page means.", "Ce que signifie une visite de cette page."),
        load_default="",
    )
    email = Words(
        Text("Page parameter with the e-mail", "Paramètre de la page avec l'e-mail"),
        help=Text(
            "Its name in the address of your thank-you page, after the question mark.",
            "Son nom dans l'adresse de votre page de remerciement, après le point d'interrogation.",
        ),
        placeholder="customer_email",
        load_default="",
    )
    order = Words(
        Text("Page parameter with the order id", "Paramètre de la page avec le numéro de commande"),
        help=Text("Also a name in that address.", "Aussi un nom dans cette adresse."),
        placeholder="order",
        load_default="",
    )
    amount = Words(
        Text("Page parameter with the amount", "Paramètre de la page avec le montant"),
        help=Text("Whole units, such as 49.99.", "En unités entières, comme 49.99."),
        load_default="",
    )
    page_currency = Words(
        Text("Page parameter with the currency", "Paramètre de la page avec la devise"),
        help=Text("If the page names one.", "Si la page en indique une."),
        load_default="",
    )
    consent = Switch(
        Text("The visitor agreed to measurement", "Le visiteur a accepté la mesure"),
        help=Text(
            "Adds consent=analytics, which allows the cookie. Only on pages where that is so.",
            "Ajoute consent=analytics, qui permet le cookie. Seulement sur les pages où c'est le cas.",
        ),
    )


def build_snippets(address: str, choices: Mapping[str, Any]) -> list[Paste]:
    """Every snippet that fits the chosen platform. ``address`` is the pixel's, without a query."""
    platform = PLATFORMS[choices["platform"]]
    fixed = _fixed(choices)
    if platform.takes == "shopify":
        code = shopify_snippet(address, fixed)
        return [_paste(Text("Shopify pixel", "Pixel Shopify"), code, platform)]
    pasted = [
        _paste(Text("Image", "Image"), image_snippet(address, [*fixed, *_page_fields(platform, choices)]), platform)
    ]
    if platform.where_free:
        title = Text("Image, free products", "Image, produits gratuits")
        pasted.append(_paste(title, image_snippet(address, fixed), platform, platform.where_free))
    parameters = _parameters(platform, choices)
    if parameters:
        currency = [("currency", choices["currency"])] if choices["currency"] and "currency" not in parameters else []
        code = script_snippet(address, [*fixed, *currency], parameters)
        pasted.append(_paste(Text("Script", "Script"), code, platform))
    return pasted


def image_snippet(address: str, fields: Pairs) -> str:
    """A transparent image. Placeholders stay as they are; everything else in ``fields`` is URL-encoded."""
    query = "&".join(f"{name}={value if _is_template(value) else quote(value, safe='')}" for name, value in fields)
    return f'<img src="{html.escape(address)}?{query}" width="1" height="1" alt="">'


def script_snippet(address: str, fixed: Pairs, parameters: Mapping[str, str]) -> str:
    """Reads the page's own address and appends the image to the body on load. ES5, no dependency, no eval.

    ``parameters``: pixel field → the page's parameter. A parameter that the page does not have leaves its field out.
    """
    return _SCRIPT.replace("ADDRESS", _js(_with_query(address, fixed))).replace("NAMES", _js(dict(parameters)))


def shopify_snippet(address: str, fixed: Pairs) -> str:
    """For Shopify's custom pixels, which run without a page: no image, a request instead."""
    return _SHOPIFY.replace("ADDRESS", _js(_with_query(address, fixed)))


_SCRIPT = """<script>
(function () {
  var url = ADDRESS, names = NAMES, page = {}, pairs = location.search.slice(1).split("&"), i, at, field;
  function plain(text) {
    try { return decodeURIComponent(text.replace(/\\+/g, " ")); } catch (e) { return text; }
  }
  for (i = 0; i < pairs.length; i++) {
    at = pairs[i].indexOf("=");
    if (at > 0) page[plain(pairs[i].slice(0, at))] = plain(pairs[i].slice(at + 1));
  }
  for (field in names) {
    if (typeof page[names[field]] === "string" && page[names[field]]) {
      url += "&" + field + "=" + encodeURIComponent(page[names[field]]);
    }
  }
  function load() {
    var image = new Image(1, 1);
    image.alt = "";
    image.src = url;
    document.body.appendChild(image);
  }
  if (document.readyState === "complete") load(); else window.addEventListener("load", load);
})();
</script>"""

_SHOPIFY = """analytics.subscribe("checkout_completed", function (event) {
  var checkout = event.data.checkout, first = (checkout.lineItems || [])[0] || {};
  var product = (first.variant && first.variant.product) || {};
  var fields = {
    email: checkout.email,
    amount: checkout.totalPrice && checkout.totalPrice.amount,
    currency: checkout.currencyCode,
    orderId: checkout.order && checkout.order.id && String(checkout.order.id).split("/").pop(),
    productId: product.id,
    productName: first.title
  };
  var url = ADDRESS, field;
  for (field in fields) {
    if (fields[field] || fields[field] === 0) url += "&" + field + "=" + encodeURIComponent(fields[field]);
  }
  fetch(url, { mode: "no-cors", keepalive: true });
});"""


def _paste(title: Text, code: str, platform: Platform, where: Text | None = None) -> Paste:
    said = [text for text in (platform.standing, platform.note) if text]
    note = Text(" ".join(part.en for part in said), " ".join(part.fr for part in said))
    return Paste(title, code, where or platform.where, note if said else None)


def _fixed(choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    ids = [part for part in re.split(r"[\s,;]+", choices["webinars"]) if part]
    targets = [("webinarId", part) for part in ids] or ([("tag", choices["tag"])] if choices["tag"] else [])
    stage = [("stage", choices["stage"])] if choices["stage"] else []
    return [*targets, *stage, *([("consent", "analytics")] if choices["consent"] else [])]


def _page_fields(platform: Platform, choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each field with its placeholder, in the pixel's order; without one it stays empty, to be filled in or left."""
    known: dict[str, str] = {"currency": choices["currency"], **platform.placeholders}
    names = [*FIELDS, *(name for name in platform.placeholders if name not in FIELDS)]
    wanted = names if not platform.placeholders else [name for name in names if known.get(name)]
    return [(name, known.get(name, "")) for name in wanted]


def _parameters(platform: Platform, choices: Mapping[str, Any]) -> dict[str, str]:
    chosen = {
        "email": choices["email"],
        "orderId": choices["order"],
        "amount": choices["amount"],
        "currency": choices["page_currency"],
    }
    chosen = {name: parameter for name, parameter in chosen.items() if parameter}
    usual = {name: parameter for name, parameter in platform.parameters.items() if not choices.get(name)}
    return chosen or usual


def _with_query(address: str, fixed: Pairs) -> str:
    # A first field that is always there lets every other one begin with "&".
    return f"{address}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in [("v", "1"), *fixed])


def _is_template(value: str) -> bool:
    return value.startswith("{")


def _js(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
