"""What a column holds, by its name: English and French, as shops, tills and payment processors export them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from hub.contract import Text
from hub.contract.amounts import read_currency

LABELS: dict[str, Text] = {  # of the names that hub.contract.records knows
    "email": Text("E-mail", "E-mail"),
    "value": Text("Amount", "Montant"),
    "currency": Text("Currency", "Devise"),
    "order_id": Text("Order or receipt number", "Numéro de commande ou de ticket"),
    "occurred_at": Text("Date", "Date"),
    "time": Text("Time of day, beside the date", "Heure, à côté de la date"),
    "stage": Text("What happened (sale, refund …)", "Ce qui s'est passé (vente, remboursement …)"),
    "full_name": Text("Full name", "Nom complet"),
    "first_name": Text("First name", "Prénom"),
    "last_name": Text("Last name", "Nom"),
    "phone": Text("Phone", "Téléphone"),
    "external_id": Text("Customer id", "Identifiant du client"),
    "city": Text("City", "Ville"),
    "region": Text("State or region", "État ou région"),
    "postal_code": Text("Postal code", "Code postal"),
    "country": Text("Country", "Pays"),
    "product_id": Text("Product id", "Identifiant du produit"),
    "product_name": Text("Product", "Produit"),
    "quantity": Text("Quantity", "Quantité"),
    "price": Text("Price of one", "Prix unitaire"),
    "coupon": Text("Coupon", "Code promo"),
    "campaign_ids": Text("Webinars or campaigns", "Webinaires ou campagnes"),
    "tags": Text("Tags", "Tags"),
    "subscription_id": Text("Subscription id", "Identifiant d'abonnement"),
    "money_id": Text("Refund id", "Identifiant du remboursement"),
    "event_id": Text("Id of the row", "Identifiant de la ligne"),
    "reason": Text("Reason", "Raison"),
    "consent_email": Text("Agreed to e-mail", "A accepté les e-mails"),
    "consent_ads": Text("Agreed to ads", "A accepté la publicité"),
}
# The usual names of such a column, as `folded` writes them, best first.
_USUAL = """
email: email emailaddress adresseemail courriel mail adressemail customeremail emailclient clientemail buyeremail
    billingemail contactemail emailacheteur adressecourriel adresseelectronique
value: amount total montant totalttc montantttc montanttotal totalamount ordertotal grandtotal prixttc totalprice
    value valeur revenue ca chiffredaffaires montantpaye totalpaye amountpaid prixtotal montantregle ttc gross prix
    price
currency: currency devise currencycode codedevise monnaie
order_id: orderid ordernumber order ordername numerodecommande ndecommande ncommande numcommande nocommande idcommande
    commande reference referencecommande transactionid transaction idtransaction receiptnumber receipt ticket nticket
    ndeticket numeroticket numerodeticket invoicenumber invoice facture nfacture ndefacture numerodefacture
    numerofacture id
occurred_at: date orderdate datedecommande datecommande createdat paidat saledate datedevente datevente datetime
    timestamp dateheure dateetheure datedachat datepaiement datedepaiement paymentdate purchasedate datedetransaction
    transactiondate creele jour
time: time heure heuredevente saletime
stage: stage type status statut etat orderstatus financialstatus paymentstatus typedetransaction transactiontype
    nature statutdepaiement etape
full_name: fullname billingname nomcomplet nomduclient nomclient customername nometprenom prenometnom prenomnom
    nomprenom client customer buyer acheteur name
first_name: firstname prenom givenname billingfirstname prenomclient
last_name: lastname nom nomdefamille surname familyname billinglastname
phone: phone telephone phonenumber tel mobile portable numerodetelephone billingphone
external_id: customerid clientid idclient numeroclient nclient codeclient
city: city ville billingcity town
region: region state province billingstate
postal_code: postalcode codepostal zip zipcode cp billingzip postcode
country: country pays billingcountry countrycode codepays
product_id: productid idproduit sku codeproduit lineitemsku codearticle
product_name: product productname produit article nomduproduit lineitemname designation libelle item description
quantity: quantity quantite qty qte lineitemquantity
price: unitprice prixunitaire lineitemprice prixunitairettc
coupon: coupon couponcode discountcode codepromo codereduction
campaign_ids: campaignids campaignid campaign campagne webinarid webinar webinaire
tags: tags tag etiquettes etiquette
subscription_id: subscriptionid idabonnement abonnement
money_id: refundid idremboursement
event_id: eventid rowid idligne
reason: reason raison motif
consent_email: acceptsmarketing emailconsent newsletter optin accepteemails consentementemail
consent_ads: adsconsent consentementpublicite
"""
_KNOWN = {
    word: (line.split(":")[0], rank)
    for line in _USUAL.strip().replace("\n    ", " ").splitlines()
    for rank, word in enumerate(line.split(":")[1].split())
}


def folded(column: str) -> str:
    """A column's name in bare letters: ``N° de commande`` → ``ndecommande``, ``Montant TTC (€)`` → ``montantttc``."""
    bare = re.sub(r"\([^)]*\)|\[[^\]]*\]", "", column.replace("°", " ")).lower()
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", bare)) or re.sub("[^a-z0-9]", "", column.lower())


def assign(columns: Iterable[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Column → the name it is read under. What a person chose comes first; of two usual names the better one counts.

    A column chosen as ``-`` for a name keeps that name from being looked for.
    """
    by_folded: dict[str, str] = {}
    for column in columns:
        by_folded.setdefault(folded(column), column)
    picked = {name: by_folded.get(folded(column)) for name, column in chosen.items()}
    best: dict[str, tuple[int, str]] = {}
    taken = set(picked.values())
    for word, column in by_folded.items():
        name, rank = _KNOWN.get(word, ("", 0))
        if name and name not in picked and column not in taken and rank < best.get(name, (999, ""))[0]:
            best[name] = rank, column
    return {column: name for name, column in picked.items() if column} | {
        column: name for name, (_, column) in best.items()
    }


def currency_in(column: str) -> str:
    """The currency that a column's own name tells: ``Montant (€)`` → EUR; empty when it tells none, or several."""
    for word in re.findall(r"[(\[]([^)\]]+)[)\]]|([A-Z]{3}|[€£$]) *$", column):
        codes = read_currency("".join(word))
        if codes and len(codes) == 1:
            return next(iter(codes))
    return ""
