"""People and their passwords."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from hub.contract.money import EXPONENTS
from hub.contract.vocabulary import Text
from hub.mapping.problems import Said
from hub.steer.errors import Invalid, NotFound, invalid
from hub.store import accounts as store
from hub.store.accounts import UserRow
from hub.toolkit.cleaning import clean_email

SHORTEST, LONGEST = 10, 1000  # characters of a password
LANGUAGES = ("en", "fr")
OWNER = "owner"


def first_owner(
    tx: Connection,
    at: datetime,
    *,
    email: str,
    password: str,
    workspace: str = "",
    time_zone: str = "UTC",
    currency: str = "EUR",
    language: str = "en",
) -> tuple[str, str]:
    """Set up an empty installation; returns the ids (user, workspace). Raises Invalid, also when one exists."""
    if not store.awaits_owner(tx):
        raise invalid(
            "email", "This hub has an owner already: log in.", "Ce hub a déjà un propriétaire : connectez-vous."
        )
    address, wrong = clean_email(email)
    problems: dict[str, list[str]] = {}
    if address is None:
        problems["email"] = [Said(f"Enter a full e-mail address ({wrong}).", "Saisissez une adresse e-mail complète.")]
    for check in (_check_password(password), _check_place(time_zone, currency, language)):
        problems |= check
    if address is None or problems:
        raise Invalid(problems)
    name = " ".join(workspace.split())[:200] or address.partition("@")[2]
    workspace_id = store.add_workspace(
        tx, at, name=name, time_zone=time_zone, currency=currency.upper(), language=language
    )
    user_id = store.add_user(
        tx, at, email=address, password_hash=hash_password(password), workspace_id=workspace_id, role=OWNER
    )
    store.change_user(tx, user_id, language=language)
    return user_id, workspace_id


def recognize(tx: Connection, *, email: str, password: str) -> UserRow | None:
    """The user, or None: it is never said which of the two is wrong, and both take the same time.

    Takes about a tenth of a second, so give it a reading transaction: a writing one would hold up everybody else.
    """
    user = store.user_by_email(tx, email)
    right = matches(user.password_hash if user else _nobody(), password)
    return user if right else None


def note_login(tx: Connection, at: datetime, user: UserRow, password: str) -> None:
    """Write down that this user logged in; an old hash is replaced by one of today's strength."""
    columns: dict[str, Any] = {"last_login_at": at}
    if _hasher().check_needs_rehash(user.password_hash):
        columns["password_hash"] = hash_password(password)
    store.change_user(tx, user.id, **columns)


def change_password(tx: Connection, user_id: str, *, old: str, new: str) -> None:
    """Raises Invalid when the old one is wrong or the new one too short."""
    user = store.user_by_id(tx, user_id)
    if user is None:
        raise NotFound(Text("There is no such user (any more).", "Cet utilisateur n'existe pas ou plus."))
    if not matches(user.password_hash, old):
        raise invalid("old", "This is not your password.", "Ce n'est pas votre mot de passe.")
    set_password(tx, user_id, new)


def set_password(tx: Connection, user_id: str, new: str) -> None:
    """For an administrator on the machine, who needs no old one. Raises Invalid when it is too short."""
    problems = _check_password(new)
    if problems:
        raise Invalid({"new": problems["password"]})
    store.change_user(tx, user_id, password_hash=hash_password(new))


def hash_password(password: str) -> str:
    """Argon2id with the library's parameters (RFC 9106, low-memory choice)."""
    return _hasher().hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether ``password`` is the one behind the hash. Never raises."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash to spend the same time on when there is no such user."""
    return hash_password("nobody has this password")


def _check_password(password: str) -> dict[str, list[str]]:
    if SHORTEST <= len(password) <= LONGEST and password.isprintable():
        return {}
    said = Said(f"Use at least {SHORTEST} characters.", f"Utilisez au moins {SHORTEST} caractères.")
    return {"password": [said]}


def _check_place(time_zone: str, currency: str, language: str) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name an OSError
        problems["time_zone"] = [
            Said("Choose a time zone such as Europe/Paris.", "Choisissez un fuseau comme Europe/Paris.")
        ]
    if currency.upper() not in EXPONENTS:
        problems["currency"] = [
            Said("Use a three-letter code such as EUR.", "Utilisez un code de trois lettres comme EUR.")
        ]
    if language not in LANGUAGES:
        problems["language"] = [Said("Choose en or fr.", "Choisissez en ou fr.")]
    return problems
