"""What is known of each checkout: where its page takes code, and what it fills in.

``checked`` is the day on which the entry was compared with the vendor's own page; empty means unconfirmed: from third
parties, or not known; None means that there is no vendor. Where a checkout fills in nothing on its last page, its
webhook is the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.contract import Text


@dataclass(frozen=True)
class Platform:
    """``placeholders``: pixel field → template syntax. ``parameters``: pixel field → the page's own parameter."""

    name: Text
    where: Text
    placeholders: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    where_free: Text | None = None  # where sign-ups without a price are counted
    takes: str = "html"  # html, or shopify: a script in Shopify's own sandbox
    note: Text | None = None
    checked: str | None = ""

    @property
    def standing(self) -> Text | None:
        """“checked on …” or “unconfirmed”, to be said with every snippet."""
        if self.checked is None:
            return None
        if not self.checked:
            return Text(
                "Unconfirmed: try it with a test sale.", "Non confirmé : essayez-le avec une vente de test."
            )  # fmt: skip
        return Text(f"Checked on {self.checked}.", f"Vérifié le {self.checked}.")


def _same(name: str) -> Text:
    return Text(name, name)


_USE_WEBHOOK = Text(
    "No placeholder of this checkout is known: connect its webhook as well, it brings the amount and the e-mail.",
    "Aucun champ de cet outil n'est connu : connectez aussi son webhook, qui apporte le montant et l'e-mail.",
)

PLATFORMS: dict[str, Platform] = {
    "own": Platform(
        Text("My own page", "Ma propre page"),
        Text(
            "The BODY of the page that follows the payment: fill in the empty fields on your server",
            "Le BODY de la page qui suit le paiement : remplissez les champs vides côté serveur",
        ),
        parameters={"email": "email", "orderId": "order", "amount": "amount", "currency": "currency"},
        checked=None,
    ),
    # Placeholders and menu path as the makers of a comparable pixel publish them (ewebinar.com/help), not Thinkific.
    "thinkific": Platform(
        _same("Thinkific"),
        Text("Settings › Code › Order tracking code", "Settings › Code › Order tracking code"),
        placeholders={
            "amount": "{{total_price}}",
            "orderId": "{{order_number}}",
            "productId": "{{product_id}}",
            "productName": "{{product_name}}",
        },
        where_free=Text("Settings › Code › Signup tracking code", "Settings › Code › Signup tracking code"),
        note=Text(
            "No e-mail is filled in here: the buyer is known by the cookie, or by the Thinkific webhook of the same "
            "order. An after-purchase flow to an address of its own skips this page.",
            "Aucun e-mail n'est rempli ici : l'acheteur est reconnu par le cookie, ou par le webhook Thinkific de la "
            "même commande. Un parcours après achat vers une autre adresse saute cette page.",
        ),
    ),
    # docs.stripe.com, success_url of Checkout: {CHECKOUT_SESSION_ID} is the only template variable.
    "stripe": Platform(
        _same("Stripe"),
        Text(
            "Your own success page; its address in Stripe ends with ?session_id={CHECKOUT_SESSION_ID}",
            "Votre propre page de succès ; son adresse dans Stripe finit par ?session_id={CHECKOUT_SESSION_ID}",
        ),
        parameters={"orderId": "session_id"},
        note=Text(
            "Stripe gives the page neither amount nor e-mail: connect the Stripe webhook, joined by the session id.",
            "Stripe ne donne à la page ni montant ni e-mail : connectez le webhook Stripe, relié par la session.",
        ),
    ),
    # shopify.dev/docs/api/web-pixels-api/standard-events/checkout_completed
    "shopify": Platform(
        _same("Shopify"),
        Text(
            "Settings › Customer events › Add custom pixel › paste, Save, then Connect",
            "Settings › Customer events › Add custom pixel › coller, Save, puis Connect",
        ),
        takes="shopify",
        note=Text(
            "Shopify's thank-you page takes no code of its own since August 2026. The sandbox hides the page's "
            "address: leave “allowed pages” empty.",
            "La page de remerciement de Shopify n'accepte plus de code depuis août 2026. Le bac à sable cache "
            "l'adresse de la page : laissez « pages autorisées » vide.",
        ),
        checked="2026-11-21",
    ),
    "kajabi": Platform(
        _same("Kajabi"),
        Text(
            "Offer › Post-purchase settings › your own landing page › its body code",
            "Offer › Post-purchase settings › votre propre page › son code de corps de page",
        ),
        note=_USE_WEBHOOK,
    ),
    "systeme_io": Platform(
        _same("Systeme.io"),
        Text(
            "Funnel › thank-you page › Settings › body code",
            "Tunnel › page de remerciement › Paramètres › code du corps",
        ),
        note=_USE_WEBHOOK,
    ),
    "woocommerce": Platform(
        _same("WooCommerce"),
        Text(
            "The order-received page, through a plugin that inserts code there",
            "La page « commande reçue », avec une extension qui y insère du code",
        ),
        note=_USE_WEBHOOK,
    ),
    "podia": Platform(
        _same("Podia"),
        Text("The page you send buyers to after checkout", "La page où vous envoyez les acheteurs après le paiement"),
        note=_USE_WEBHOOK,
    ),
    # support.teachable.com, article 11682577: "Checkout pages do not allow custom code snippets".
    "teachable": Platform(
        _same("Teachable"),
        Text("Settings › Code snippets (never on the checkout)", "Settings › Code snippets (jamais sur le paiement)"),
        note=Text(
            "Teachable's checkout takes no code and fills in nothing: use the Teachable webhook.",
            "Le paiement de Teachable n'accepte pas de code et ne remplit rien : utilisez le webhook Teachable.",
        ),
        checked="2026-11-21",
    ),
    # support.thrivecart.com, "Accessing order information via the query string". The parameter names are third-party;
    # its total comes in cents, so it is left to the webhook.
    "thrivecart": Platform(
        _same("ThriveCart"),
        Text(
            "Product › Fulfillment › Send them to a URL: the script goes on that page",
            "Product › Fulfillment › Send them to a URL : le script se met sur cette page",
        ),
        parameters={
            "email": "thrivecart[customer][email]",
            "orderId": "thrivecart[order_id]",
            "currency": "thrivecart[order_currency]",
        },
        note=Text(
            "The total in the address is in cents and is not used: the ThriveCart webhook brings the amount.",
            "Le total dans l'adresse est en centimes et n'est pas utilisé : le webhook ThriveCart apporte le montant.",
        ),
    ),
    "kartra": Platform(
        _same("Kartra"),
        Text("The page's settings › body code", "Paramètres de la page › code du corps"),
        placeholders={"email": "{email_address}", "firstName": "{first_name}"},
        note=Text(
            "These braces are known from Kartra's messages; whether its thank-you page fills them in is not known.",
            "Ces accolades viennent des messages de Kartra ; on ne sait pas si sa page de remerciement les remplit.",
        ),
    ),
}
