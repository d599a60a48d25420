"""Transforms of text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from hub.contract.conversion import Json
from hub.contract.vocabulary import Text
from hub.mapping.coercion import MAX_TEXT, check_length
from hub.mapping.problems import CannotMake
from hub.mapping.transforms.shape import Argument, Step, Transform
from hub.toolkit.countries import country_by_name


def _plain(change: Callable[[str], str | None]) -> Callable[[], Step]:
    return lambda: lambda value, _data: change(value)


def _word(position: int) -> Callable[[str], str | None]:
    def pick(value: str) -> str | None:
        words = value.split()
        return words[position] if words else None

    return pick


def _split_name(part: str) -> Step:
    def split(value: str, _data: Json) -> str | None:
        first, _, last = " ".join(value.split()).partition(" ")
        return (first if part == "first" else last) or None

    return split


def _digits(value: str) -> str | None:
    return "".join(character for character in value if character in "0123456789") or None


def _prefix(text: str) -> Step:
    return lambda value, _data: text + value


def _suffix(text: str) -> Step:
    return lambda value, _data: value + text


def _truncate(length: int) -> Step:
    return lambda value, _data: value[:length]


def _replace(old: str, new: str) -> Step:
    def replace(value: str, _data: Json) -> str:
        if len(value) + value.count(old) * len(new) > MAX_TEXT * 2:
            check_length(" " * (MAX_TEXT + 1))
        return value.replace(old, new)

    return replace


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _hash(algorithm: str) -> Callable[[str], str]:
    new = getattr(hashlib, algorithm)
    return lambda value: new(value.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _slug(value: str) -> str | None:
    letters = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", letters)) or None


class _TextOnly(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, *_attributes: Any) -> None:
        self.silent += tag in ("script", "style")
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.silent = max(0, self.silent - (tag in ("script", "style")))
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def _strip_html(value: str) -> str | None:
    parser = _TextOnly()
    parser.feed(value)
    parser.close()
    return _one_line("".join(parser.parts)) or None


def _country_code(value: str) -> str:
    code = country_by_name(value)
    if code is None:
        raise CannotMake("not_a_country", Text("The value is not a country.", "La valeur n'est pas un pays."))
    return code


_TEXT = Argument("text", Text("Text", "Texte"), required=True)

TEXT_TRANSFORMS = (
    Transform("upper", Text("Upper case", "Majuscules"), Text("ANNA MARIA", "ANNA MARIA"), "text", _plain(str.upper)),
    Transform("lower", Text("Lower case", "Minuscules"), Text("anna maria", "anna maria"), "text", _plain(str.lower)),
    Transform(
        "trim",
        Text("Trim", "Supprimer les espaces autour"),
        Text("No white space at either end.", "Sans espace au début ni à la fin."),
        "text",
        _plain(str.strip),
    ),
    Transform(
        "title",
        Text("Title Case", "Initiales en majuscule"),
        Text("Each word begins with a capital.", "Chaque mot commence par une majuscule."),
        "text",
        _plain(str.title),
    ),
    Transform(
        "capitalize",
        Text("Capitalize", "Première lettre en majuscule"),
        Text(
            "The first letter is a capital, the rest small.", "La première lettre en majuscule, le reste en minuscules."
        ),
        "text",
        _plain(str.capitalize),
    ),
    Transform(
        "one_line",
        Text("One line", "Une seule ligne"),
        Text(
            "Line breaks and runs of spaces become one space.",
            "Les sauts de ligne et espaces multiples deviennent une espace.",
        ),
        "text",
        _plain(_one_line),
    ),
    Transform(
        "split_name",
        Text("Part of a full name", "Partie d'un nom complet"),
        Text(
            "“first” is the first word, “last” all the others.",
            "« first » est le premier mot, « last » tous les autres.",
        ),
        "text",
        _split_name,
        (Argument("part", Text("Part", "Partie"), "choice", required=True, choices=("first", "last")),),
    ),
    Transform(
        "first_word",
        Text("First word", "Premier mot"),
        Text("Up to the first space.", "Jusqu'à la première espace."),
        "text",
        _plain(_word(0)),
    ),
    Transform(
        "last_word",
        Text("Last word", "Dernier mot"),
        Text("After the last space.", "Après la dernière espace."),
        "text",
        _plain(_word(-1)),
    ),
    Transform(
        "digits",
        Text("Digits only", "Chiffres seulement"),
        Text("Everything but 0–9 is dropped.", "Tout sauf 0–9 est supprimé."),
        "text",
        _plain(_digits),
    ),
    Transform(
        "prefix",
        Text("Put before", "Mettre avant"),
        Text("The text is put before the value.", "Le texte est mis avant la valeur."),
        "text",
        _prefix,
        (_TEXT,),
    ),
    Transform(
        "suffix",
        Text("Put after", "Mettre après"),
        Text("The text is put after the value.", "Le texte est mis après la valeur."),
        "text",
        _suffix,
        (_TEXT,),
    ),
    Transform(
        "truncate",
        Text("Cut to a length", "Couper à une longueur"),
        Text("At most that many characters.", "Au plus ce nombre de caractères."),
        "text",
        _truncate,
        (Argument("length", Text("Length", "Longueur"), "integer", required=True, least=1, most=MAX_TEXT),),
    ),
    Transform(
        "replace",
        Text("Replace", "Remplacer"),
        Text("Every occurrence, literally; no patterns.", "Chaque occurrence, littéralement ; pas de motifs."),
        "text",
        _replace,
        (
            Argument("old", Text("Find", "Chercher"), required=True),
            Argument("new", Text("Replace with", "Remplacer par"), default=""),
        ),
    ),
    Transform(
        "sha256",
        Text("SHA-256", "SHA-256"),
        Text(
            "Hexadecimal hash of the UTF-8 text as it is: lower and trim first.",
            "Empreinte hexadécimale du texte UTF-8 tel quel : minuscules et espaces d'abord.",
        ),
        "text",
        _plain(_hash("sha256")),
    ),
    Transform(
        "md5",
        Text("MD5", "MD5"),
        Text(
            "For tools that identify people by it; not a protection.",
            "Pour les outils qui identifient ainsi ; pas une protection.",
        ),
        "text",
        _plain(_hash("md5")),
    ),
    Transform(
        "slug",
        Text("Slug", "Identifiant lisible"),
        Text(
            "Small letters without accents, digits and hyphens: “Été à Paris” gives ete-a-paris.",
            "Minuscules sans accents, chiffres et tirets : « Été à Paris » donne ete-a-paris.",
        ),
        "text",
        _plain(_slug),
    ),
    Transform(
        "strip_html",
        Text("Strip HTML", "Supprimer le HTML"),
        Text("The text alone, on one line.", "Le texte seul, sur une ligne."),
        "text",
        _plain(_strip_html),
    ),
    Transform(
        "country_code",
        Text("Country code", "Code pays"),
        Text(
            "“France”, “FRA” or “fr” gives FR (English and French names).",
            "« France », « FRA » ou « fr » donne FR (noms anglais et français).",
        ),
        "text",
        _plain(_country_code),
    ),
)
