"""The closed list of reasons: every inbound, conversion and delivery ends in a state with one of these.

The words are shown everywhere the same, in English and French; ``action`` says what the person can do about it.
"""

from __future__ import annotations

from typing import NamedTuple

from hub.contract.vocabulary import Text


class Reason(NamedTuple):
    """One entry: the sentence people read and the one thing they can do next."""

    said: Text
    action: Text


_NOTHING = Text("Nothing to do.", "Rien à faire.")

REASONS: dict[str, Reason] = {
    # recorded
    "new_conversion": Reason(Text("New conversion", "Nouvelle conversion"), _NOTHING),
    "amount_replaced": Reason(Text("Amount replaced (refresh)", "Montant remplacé (actualisation)"), _NOTHING),
    "refund_updated": Reason(
        Text(
            "Refund told again, its latest amount counts", "Remboursement de nouveau annoncé, le dernier montant compte"
        ),
        _NOTHING,
    ),
    "dispute_updated": Reason(
        Text("Dispute told again, its latest amount counts", "Litige de nouveau annoncé, le dernier montant compte"),
        _NOTHING,
    ),
    "dispute_won": Reason(Text("Dispute over, the money is back", "Litige clos, l'argent est rendu"), _NOTHING),
    "renewal_updated": Reason(
        Text(
            "Renewal told again, its latest amount counts",
            "Renouvellement de nouveau annoncé, le dernier montant compte",
        ),
        _NOTHING,
    ),
    "order_added": Reason(Text("Order added", "Commande ajoutée"), _NOTHING),
    "refund_recorded": Reason(Text("Refund recorded", "Remboursement enregistré"), _NOTHING),
    "dispute_recorded": Reason(Text("Dispute recorded", "Litige enregistré"), _NOTHING),
    "renewal_recorded": Reason(Text("Renewal recorded", "Renouvellement enregistré"), _NOTHING),
    "cancellation_recorded": Reason(Text("Cancellation recorded", "Annulation enregistrée"), _NOTHING),
    "pending_recorded": Reason(Text("Payment awaited", "Paiement attendu"), _NOTHING),
    "contact_updated": Reason(Text("Contact updated", "Contact mis à jour"), _NOTHING),
    "joined_known_sale": Reason(
        Text("Joined to a sale already seen (pixel + webhook)", "Rattachée à une vente déjà vue (pixel + webhook)"),
        _NOTHING,
    ),
    "test_not_counted": Reason(Text("Test, not counted", "Test, non compté"), _NOTHING),
    "handshake_answered": Reason(Text("Set-up call answered", "Appel de configuration traité"), _NOTHING),
    # not counted, kept
    "placeholder_not_replaced": Reason(
        Text("Placeholder not replaced", "Champ du modèle non remplacé"),
        Text(
            "The page sent the template text itself: use the syntax of your checkout.",
            "La page a envoyé le texte du modèle : utilisez la syntaxe de votre outil de paiement.",
        ),
    ),
    "no_usable_identity": Reason(
        Text("No usable identity", "Aucune identité utilisable"),
        Text("Add the e-mail or the order id to the pixel.", "Ajoutez l'e-mail ou le numéro de commande au pixel."),
    ),
    "no_target_matched": Reason(
        Text("No campaign matched", "Aucune campagne correspondante"),
        Text(
            "Check the webinar id or the tag in the pixel.", "Vérifiez l'identifiant du webinaire ou le tag du pixel."
        ),
    ),
    "currency_unknown": Reason(
        Text("Currency missing or unknown", "Devise absente ou inconnue"),
        Text("Set a default currency on the source.", "Indiquez une devise par défaut sur la source."),
    ),
    "amount_not_readable": Reason(
        Text("Amount not readable", "Montant illisible"),
        Text("Send a bare number such as 49.99.", "Envoyez un nombre simple comme 49.99."),
    ),
    "amount_outside_limits": Reason(
        Text("Amount outside the limits you set", "Montant hors des limites fixées"),
        Text(
            "Check the hit, or change the limits of the source.",
            "Vérifiez l'appel ou changez les limites de la source.",
        ),
    ),
    "signature_wrong": Reason(
        Text("Signature wrong", "Signature incorrecte"),
        Text(
            "Copy the signing secret again from the sender.",
            "Copiez de nouveau le secret de signature de l'expéditeur.",
        ),
    ),
    "signature_missing": Reason(
        Text("Signature missing", "Signature absente"),
        Text("Switch signing on at the sender.", "Activez la signature chez l'expéditeur."),
    ),
    "signature_too_old": Reason(
        Text("Signature too old", "Signature trop ancienne"),
        Text("Check the clocks of both servers.", "Vérifiez l'heure des deux serveurs."),
    ),
    "signature_from_future": Reason(
        Text("Signature from the future", "Signature datée du futur"),
        Text(
            "One clock is ahead: set the clocks of both servers, then send again.",
            "Une horloge avance : mettez les deux serveurs à l'heure, puis renvoyez.",
        ),
    ),
    "sender_not_verified": Reason(
        Text("Sender not verified and source set to strict", "Expéditeur non vérifié et source stricte"),
        Text("Add the secret, or relax the source.", "Ajoutez le secret ou assouplissez la source."),
    ),
    "secret_not_set": Reason(
        Text("No secret is set on this source", "Aucun secret n'est défini sur cette source"),
        Text("Paste the secret from the sender into the source.", "Collez le secret de l'expéditeur dans la source."),
    ),
    "duplicate_event": Reason(
        Text("Duplicate delivery of the same event", "Envoi en double du même événement"), _NOTHING
    ),
    "too_large": Reason(
        Text("Too large to be kept", "Trop volumineux pour être conservé"),
        Text(
            "Have the sender leave something out, or raise HUB_MAX_BODY.",
            "Faites alléger le message par l'expéditeur, ou augmentez HUB_MAX_BODY.",
        ),
    ),
    "event_not_used": Reason(
        Text("Event type not used", "Type d'événement non utilisé"),
        Text("Untick it at the sender if you like.", "Décochez-le chez l'expéditeur si vous le souhaitez."),
    ),
    "bot_or_preview": Reason(Text("Bot or preview fetch", "Robot ou aperçu"), _NOTHING),
    "source_paused": Reason(
        Text("Source paused", "Source en pause"),
        Text("Resume the source, then replay.", "Réactivez la source puis rejouez."),
    ),
    "rate_limited": Reason(
        Text("Over the rate limit (kept, will be processed)", "Au-delà du débit permis (conservé, sera traité)"),
        _NOTHING,
    ),
    "not_understood": Reason(
        Text("Not understood", "Non compris"),
        Text(
            "Look at the message, fix the source, then replay.", "Regardez le message, corrigez la source puis rejouez."
        ),
    ),
    "internal_error": Reason(
        Text("The hub failed on it", "Le hub a échoué"),
        Text("Report it, then replay after the fix.", "Signalez-le puis rejouez après la correction."),
    ),
    "connector_broken": Reason(
        Text("Connector broken", "Connecteur défectueux"),
        Text("See the connector's page for the reason.", "Voir la raison sur la page du connecteur."),
    ),
    "connector_unusable": Reason(
        Text(
            "Its connector is not installed, or cannot be used", "Son connecteur n'est pas installé, ou pas utilisable"
        ),
        Text(
            "Install or mend it, then restart: what waits goes on by itself.",
            "Installez-le ou réparez-le, puis redémarrez : ce qui attend repart tout seul.",
        ),
    ),
    "replayed": Reason(Text("Waiting to be read again", "En attente d'une nouvelle lecture"), _NOTHING),
    "unproven": Reason(
        Text(
            "Kept, its sender is being asked whether it is genuine",
            "Conservé, on demande à l'expéditeur s'il est authentique",
        ),
        _NOTHING,
    ),
    "read_back": Reason(
        Text("Its sender has answered, waiting to be read", "L'expéditeur a répondu, en attente de lecture"), _NOTHING
    ),
    "waiting": Reason(Text("Waiting", "En attente"), _NOTHING),
    # sent
    "delivered": Reason(Text("Delivered", "Livré"), _NOTHING),
    "delivered_with_warning": Reason(Text("Delivered with a warning", "Livré avec un avertissement"), _NOTHING),
    "accepted_unverified": Reason(
        Text("Accepted, the platform confirms nothing", "Accepté, la plateforme ne confirme rien"), _NOTHING
    ),
    "had_it_already": Reason(Text("The destination had it already", "La destination l'avait déjà"), _NOTHING),
    "verdict_awaited": Reason(Text("Taken, verdict awaited", "Pris en charge, verdict attendu"), _NOTHING),
    "verdict_never_came": Reason(
        Text("Taken, but no verdict came within two days", "Pris en charge, mais aucun verdict en deux jours"),
        Text(
            "Look it up at the destination; a replay sends it again.",
            "Vérifiez dans la destination ; rejouer l'envoie de nouveau.",
        ),
    ),
    # not sent
    "no_consent": Reason(Text("No consent for this purpose", "Pas de consentement pour cet usage"), _NOTHING),
    "person_suppressed": Reason(Text("Person suppressed or erased", "Personne exclue ou effacée"), _NOTHING),
    "unsubscribed": Reason(Text("Unsubscribed from e-mails", "Désinscrit des e-mails"), _NOTHING),
    "filtered_by_rule": Reason(Text("Filtered by your rule", "Filtré par votre règle"), _NOTHING),
    "trust_too_low": Reason(
        Text("Not proven, and this route demands proof", "Non prouvée, et cette route exige une preuve"), _NOTHING
    ),
    "waiting_for_sale": Reason(
        Text("Waiting until the sale itself has arrived there", "En attente de l'arrivée de la vente elle-même"),
        _NOTHING,
    ),
    "sale_not_sent": Reason(
        Text("The sale it changes was never sent there", "La vente qu'il modifie n'y a jamais été envoyée"),
        Text("Send the sale, then replay this.", "Envoyez la vente, puis rejouez ceci."),
    ),
    "waiting_for_proof": Reason(
        Text("Waiting for the webhook to confirm", "En attente de la confirmation par webhook"), _NOTHING
    ),
    "stage_not_accepted": Reason(
        Text("The destination does not take this stage", "La destination ne prend pas cette étape"), _NOTHING
    ),
    "required_field_empty": Reason(
        Text("Required field empty", "Champ obligatoire vide"),
        Text("Change the mapping, then replay.", "Changez la correspondance puis rejouez."),
    ),
    "destination_paused": Reason(
        Text("Destination paused", "Destination en pause"), Text("Resume the destination.", "Réactivez la destination.")
    ),
    "destination_not_accepting": Reason(
        Text("Destination not accepting (will retry)", "La destination n'accepte pas (nouvel essai prévu)"), _NOTHING
    ),
    "route_removed": Reason(
        Text("Its route or destination was removed", "Sa route ou sa destination a été supprimée"), _NOTHING
    ),
    "destination_gone": Reason(
        Text("The destination no longer exists (410)", "La destination n'existe plus (410)"),
        Text("Connect it again.", "Reconnectez-la."),
    ),
    "credentials_refused": Reason(
        Text("The destination refused our credentials", "La destination refuse nos identifiants"),
        Text("Enter a new key, then resume.", "Saisissez une nouvelle clé puis réactivez."),
    ),
    "grant_missing": Reason(
        Text("Access not granted yet", "Accès pas encore accordé"),
        Text("Open the connection and press Connect.", "Ouvrez la connexion et cliquez sur Connecter."),
    ),
    "grant_broken": Reason(
        Text("The access that was granted has ended", "L'accès accordé a pris fin"),
        Text("Open the connection and press Connect again.", "Ouvrez la connexion et cliquez sur Reconnecter."),
    ),
    "address_refused": Reason(
        Text("Address not allowed", "Adresse non autorisée"),
        Text("Use a public https address.", "Utilisez une adresse https publique."),
    ),
    "too_old": Reason(Text("Too old for this destination", "Trop ancien pour cette destination"), _NOTHING),
    "given_up": Reason(
        Text("Given up after all tries", "Abandonné après tous les essais"),
        Text("Fix the cause, then replay.", "Corrigez la cause puis rejouez."),
    ),
    "refused_by_destination": Reason(
        Text("Refused by the destination for good", "Refusé définitivement par la destination"),
        Text("Read its answer, fix, then replay.", "Lisez sa réponse, corrigez puis rejouez."),
    ),
    "test_not_sent": Reason(Text("Test, not sent", "Test, non envoyé"), _NOTHING),
}
