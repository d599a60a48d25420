"""``docs/connectors``: a page for each of our connectors, in both languages, and a table of them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from marshmallow import missing

from hub.connecting.registry import OWN_DISTRIBUTION, Entry, registry
from hub.contract import Connector, Destination, HubError, Source, Text
from hub.contract.auth import (
    ApiKeyHeader,
    ApiKeyQuery,
    Auth,
    Basic,
    Bearer,
    MailServer,
    OAuth1,
    OAuth2,
    OAuth2ClientCredentials,
    ServiceAccount,
    SignedBody,
)
from hub.contract.connector import Unsigned
from hub.contract.vocabulary import KIND_LABELS, STAGE_LABELS, Stage
from hub.testing.samples import SampleError
from hub.testing.subject import Subject, subject

LANGUAGES = ("en", "fr")

AUTHS: dict[type[Auth], Text] = {
    Bearer: Text("an access token", "un jeton d'accès"),
    Basic: Text("a key or user name and password (HTTP Basic)", "une clé ou identifiant et mot de passe (HTTP Basic)"),
    ApiKeyHeader: Text("a key in a header", "une clé dans un en-tête"),
    ApiKeyQuery: Text("a key in the address", "une clé dans l'adresse"),
    OAuth2: Text("access granted in the web page (OAuth 2)", "un accès accordé dans la page web (OAuth 2)"),
    OAuth2ClientCredentials: Text("a client id and secret (OAuth 2)", "un identifiant et un secret client (OAuth 2)"),
    ServiceAccount: Text("a Google service account", "un compte de service Google"),
    OAuth1: Text("two key pairs (OAuth 1)", "deux paires de clés (OAuth 1)"),
    SignedBody: Text("a signature of the body (Standard Webhooks)", "une signature du corps (Standard Webhooks)"),
    MailServer: Text("the login of a mail server", "l'identifiant d'un serveur de messagerie"),
    Auth: Text("nothing but its settings", "rien d'autre que ses réglages"),
}
PURPOSES = {
    "ads": Text("ads", "publicité"),
    "email": Text("e-mail", "e-mail"),
    "analytics": Text("analytics", "mesure"),
    None: Text("none: the owner's own tool", "aucun : l'outil du propriétaire"),
}
PROOFS = {
    "unsigned": Text("nothing: only its address is secret (claimed)", "rien : seule l'adresse est secrète (déclaré)"),
    "asked": Text("asked back at the sender, or its certificate", "demande à l'expéditeur, ou son certificat"),
    "token": Text("a shared token, which covers no body", "un jeton partagé, qui ne couvre pas le corps"),
    "timed": Text("a signature of body and time", "une signature du corps et de l'heure"),
    "signed": Text("a signature of the body", "une signature du corps"),
}


def pages() -> dict[str, str]:
    """Every page by its file name in ``docs/connectors``."""
    known = [subject(entry.slug) for entry in registry().all() if _is_shown(entry)]
    found: dict[str, str] = {}
    for language in LANGUAGES:
        rows = []
        for each in known:
            facts = {"entry": each.entry, **_facts(each, language)}
            about = (each.folder / f"about.{language}.md").read_text("utf-8").strip()
            found[f"{each.slug}.{language}.md"] = _render("connector", language, about=about, **facts)
            rows.append(facts)
        found["README.md" if language == "en" else "README.fr.md"] = _render("matrix", language, rows=rows)
    return found


def write(folder: Path) -> int:
    """Bring ``folder`` up to date; pages of connectors that are gone are removed. Returns how many pages there are."""
    wanted = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")
    return len(wanted)


def _is_shown(entry: Entry) -> bool:
    """Ours, and whole: the kit says of others what is missing."""
    whole = all((entry.folder / f"about.{language}.md").is_file() for language in LANGUAGES)
    return entry.distribution == OWN_DISTRIBUTION and entry.broken is None and whole


def _facts(known: Subject, language: str) -> dict[str, Any]:
    roles: Iterable[str] = known.entry.roles
    return {
        "source": _source(known, language) if "source" in roles else None,
        "destination": _destination(known.destination, language) if "destination" in roles else None,
        "homepage": next((each.homepage for each in _connectors(known.entry) if each.homepage), ""),
    }


def _source(known: Subject, language: str) -> dict[str, Any]:
    source = known.source
    return _shared(source, language) | {
        "proof": PROOFS[_proof(known)].in_(language),
        "reads_back": _overrides(source, Source, "needs_fetch"),
        "snippet": source.snippet,
        "menu_path": source.snippet.menu_path.in_(language) if source.snippet else "",
        "note": source.snippet.note.in_(language) if source.snippet and source.snippet.note else "",
    }


def _destination(destination: Destination, language: str) -> dict[str, Any]:
    own = destination.default_stages
    return _shared(destination, language) | {
        "auth": next(text.in_(language) for type_, text in AUTHS.items() if isinstance(destination.auth, type_)),
        "purpose": PURPOSES[destination.purpose].in_(language),
        "usual": None if own is None else _names(own),
        "fields": [(field.key, field.label.in_(language), field.type, field.required) for field in destination.fields],
        "batch": destination.batch,
        "limits": destination.limits,
        "days": None if destination.max_age is None else f"{destination.max_age / 86400:g}",
        "discovers": _overrides(destination, Destination, "discover"),
        "prepares": _overrides(destination, Destination, "prepare"),
        "asks_later": _overrides(destination, Destination, "poll"),
        "sends_tests": destination.sends_tests,
    }


def _shared(connector: Source | Destination, language: str) -> dict[str, Any]:
    return {
        "stages": _names(connector.stages),
        "kinds": [KIND_LABELS[kind].in_(language) for kind in KIND_LABELS if kind in connector.kinds],
        "settings": list(_settings(connector, language)),
        "checks": _overrides(connector, Connector, "check"),
        "status": connector.status.value,
    }


def _settings(connector: Connector, language: str) -> Iterator[dict[str, Any]]:
    for field in connector.Settings._declared_fields.values():
        about: Mapping[str, Any] = field.metadata
        default = field.load_default
        plain = "" if default is missing or callable(default) or default in ("", None) else str(default)
        yield {
            "label": about["label"].in_(language),
            "help": about["help"].in_(language) if about.get("help") else "",
            "required": field.required,
            "secret": bool(about.get("secret")),
            "choices": [text.in_(language) for text in (about.get("choices") or {}).values()],
            "default": (about.get("choices") or {}).get(plain, Text(plain, plain)).in_(language),
        }


def _proof(known: Subject) -> str:
    """What verifies a message, told by the first sample."""
    source = known.source
    try:
        recipe = source.verify(known.incoming[0].inbound, known.settings("source")) if known.incoming else None
    except Unsigned:
        return "unsigned"
    except (HubError, SampleError):
        recipe = None  # the kit says what is wrong with the sample
    if recipe is not None:
        return "asked"
    return "token" if not source.signs_body else "timed" if source.signs_time else "signed"


def _names(stages: Iterable[Stage]) -> list[str]:
    return [stage for stage in STAGE_LABELS if stage in set(stages)]


def _overrides(connector: Connector, base: type[Connector], method: str) -> bool:
    return getattr(type(connector), method) is not getattr(base, method)


def _connectors(entry: Entry) -> Iterator[Connector]:
    for role in entry.roles:
        yield registry().source(entry.slug) if role == "source" else registry().destination(entry.slug)


def _render(template: str, language: str, **facts: Any) -> str:
    return _templates().get_template(f"{template}.md").render(t=Text, language=language, **facts).strip() + "\n"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown of our own texts
    )
    made.filters["cell"] = lambda value: " ".join(str(value).split()).replace("|", "\\|")
    return made
