"""The closed vocabularies that every connector and every step share."""

from enum import StrEnum
from typing import NamedTuple


class Stage(StrEnum):
    """The seven funnel stages. A refund, dispute, cancellation or pending event has none."""

    VIEW_CONTENT = "view_content"  # the offer page was seen
    ADD_TO_CART = "add_to_cart"  # an offer was clicked
    INITIATE_CHECKOUT = "initiate_checkout"  # account or checkout form reached
    COMPLETE_REGISTRATION = "complete_registration"  # account created
    ADD_PAYMENT_INFO = "add_payment_info"  # payment details valid
    PURCHASE = "purchase"  # payment confirmed
    LEAD = "lead"  # payment never confirmed, or refused (not the ad platforms' form fill)


class Kind(StrEnum):
    """What a conversion does to the ledger: it adds a sale, gives money back, or changes nothing."""

    CONVERSION = "conversion"  # one of the seven stages was reached
    RENEWAL = "renewal"  # a further charge of a subscription: revenue, not a new customer
    REFUND = "refund"  # value is the positive amount of *this* refund
    DISPUTE = "dispute"  # a chargeback was opened, or closed (value 0 when won)
    CANCELLATION = "cancellation"  # no money moves
    PENDING = "pending"  # money is promised, not confirmed
    CONTACT = "contact"  # only tells something about a person


class Trust(StrEnum):
    """How far a hit can be believed, from most to least."""

    PROVEN = "proven"  # signed by the sender, or read back from it
    MANUAL = "manual"  # entered by a member of the workspace
    IMPORTED = "imported"  # came from a file
    CLAIMED = "claimed"  # pixel or unsigned: anyone could have sent it

    @property
    def rank(self) -> int:
        """0 is the most trusted; a lower rank is never overridden by a higher one."""
        return _TRUST_ORDER.index(self)


_TRUST_ORDER = (Trust.PROVEN, Trust.MANUAL, Trust.IMPORTED, Trust.CLAIMED)


class Category(StrEnum):
    """Where a connector stands in the catalogue."""

    PAYMENTS = "payments"
    COURSES = "courses"
    SHOP = "shop"
    FORMS = "forms"
    PAGE = "page"
    CRM = "crm"
    EMAIL = "email"
    ADS = "ads"
    ANALYTICS = "analytics"
    AUTOMATION = "automation"
    CHAT = "chat"
    GENERIC = "generic"


class Status(StrEnum):
    """How well a connector's facts are backed."""

    ALPHA = "alpha"
    BETA = "beta"  # peers and third parties only
    STABLE = "stable"  # vendor documentation or schema backs every field
    DEPRECATED = "deprecated"


class Text(NamedTuple):
    """A sentence for people, in both languages of the product."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        """The sentence in ``language`` ("en" or "fr"); English for any other."""
        return self.fr if language == "fr" else self.en


STAGE_LABELS: dict[str, Text] = {
    Stage.VIEW_CONTENT: Text("ViewContent: the offer was seen", "ViewContent : l'offre a été vue"),
    Stage.ADD_TO_CART: Text("AddToCart: an offer was clicked", "AddToCart : une offre a été cliquée"),
    Stage.INITIATE_CHECKOUT: Text(
        "InitiateCheckout: the order form was reached", "InitiateCheckout : le formulaire a été atteint"
    ),
    Stage.COMPLETE_REGISTRATION: Text(
        "CompleteRegistration: the account exists", "CompleteRegistration : le compte existe"
    ),
    Stage.ADD_PAYMENT_INFO: Text(
        "AddPaymentInfo: payment details are valid", "AddPaymentInfo : le moyen de paiement est valide"
    ),
    Stage.PURCHASE: Text("Purchase: the payment is confirmed", "Purchase : le paiement est confirmé"),
    Stage.LEAD: Text("Lead: payment given up or refused", "Lead : paiement abandonné ou refusé"),
}

KIND_LABELS: dict[str, Text] = {
    Kind.CONVERSION: Text("A stage was reached", "Une étape a été atteinte"),
    Kind.RENEWAL: Text("Renewal: a further charge", "Renouvellement : une charge suivante"),
    Kind.REFUND: Text("Refund", "Remboursement"),
    Kind.DISPUTE: Text("Dispute (chargeback)", "Litige (rétrofacturation)"),
    Kind.CANCELLATION: Text("Cancellation: no money moves", "Annulation : sans mouvement d'argent"),
    Kind.PENDING: Text("Payment promised, not confirmed", "Paiement promis, non confirmé"),
    Kind.CONTACT: Text("Only tells something about a person", "Renseigne seulement sur une personne"),
}


def stage_named(name: str) -> Stage | None:
    """The stage that ``name`` means: ``add_to_cart``, ``AddToCart``, ``Add to cart``. None for any other word."""
    squeezed = "".join(char for char in name.lower() if char.isalpha())
    return next((stage for stage in Stage if stage.replace("_", "") == squeezed), None)
