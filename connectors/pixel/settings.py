"""What a person sets on a pixel."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, validates_schema

from hub.contract import Choice, Currency, LongWords, Number, Secrets, SettingsSchema, Stage, Text
from hub.contract.vocabulary import STAGE_LABELS


class PixelSettings(SettingsSchema):
    """Defaults for what a hit leaves out, and limits on what anyone may claim through a public address."""

    currency = Currency(
        Text("Default currency", "Devise par défaut"),
        help=Text(
            "Used when a hit has an amount and names no currency.", "Utilisée si un appel donne un montant sans devise."
        ),
        placeholder="EUR",
        load_default="",
    )
    stage = Choice(
        Text("Stage", "Étape"),
        STAGE_LABELS,
        help=Text(
            "What a hit means unless it names a stage itself.", "Ce que signifie un appel qui n'indique pas d'étape."
        ),
        load_default=Stage.PURCHASE.value,
    )
    minimum = Number(
        Text("Smallest amount", "Montant minimal"),
        help=Text(
            "Hits below it are kept, not counted. Empty: no limit.",
            "Les appels en dessous sont gardés, non comptés. Vide : pas de limite.",
        ),
        load_default=None,
        allow_none=True,
    )
    maximum = Number(
        Text("Largest amount", "Montant maximal"),
        help=Text(
            "Hits above it are kept, not counted: anyone can call the pixel. Empty: no limit.",
            "Les appels au-dessus sont gardés, non comptés : chacun peut appeler le pixel. Vide : pas de limite.",
        ),
        load_default=None,
        allow_none=True,
    )
    cookie = Choice(
        Text("Visitor cookie", "Cookie de visite"),
        {
            "with_consent": Text("Set it once the visitor agreed", "Le déposer après l'accord du visiteur"),
            "always": Text("Set it unless the visitor refused", "Le déposer sauf refus du visiteur"),
            "never": Text("Neither set it nor read it", "Ne pas le déposer ni le lire"),
        },
        help=Text(
            "Recognizes a buyer who gives no e-mail, on pages of the same domain. The pixel says consent=analytics.",
            "Reconnaît un acheteur sans e-mail, sur les pages du même domaine. Le pixel indique consent=analytics.",
        ),
        load_default="with_consent",
    )
    allowed_pages = LongWords(
        Text("Allowed pages", "Pages autorisées"),
        help=Text(
            "One site a line. Hits from other pages are kept, not counted. Empty: every page.",
            "Un site par ligne. Les appels d'autres pages sont gardés, non comptés. Vide : toutes les pages.",
        ),
        placeholder="https://shop.example.com",
        load_default="",
    )
    secret = Secrets(
        Text("Secret for backends", "Secret pour les serveurs"),
        help=Text(
            "A backend that signs its calls with it is believed (proven). Pages need none. "
            "Two lines while you change it.",
            "Un serveur qui signe ses appels avec ce secret est cru (prouvé). Inutile pour les pages. "
            "Deux lignes pendant un changement.",
        ),
    )

    @validates_schema
    def _check_limits(self, data: dict[str, Any], **_: Any) -> None:
        minimum, maximum = data["minimum"], data["maximum"]
        if minimum is not None and maximum is not None and minimum > maximum:
            raise ValidationError("The largest amount must not be below the smallest.", "maximum")
