"""A hundred made-up people, each written as carelessly as people write, against what three vendors' own packages make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest
from capi_param_builder import ParamBuilder
from facebook_business.adobjects.serverside.normalize import Normalize
from google.ads.datamanager_util.format import Encoding, Formatter

from hub.toolkit import ads, people

FIRST = ["Marie", "José", "O'Shea", "Jean-Luc", "Åsa", "ΕΛΕΝΗ", "李", "Zoë", "Ann", "Владимир", "İnci", "de la Cruz"]
LAST = ["Dubois", "O'Neil", "Müller", "Smith-Jones", "Nguyễn", "García Márquez", "Łukasz", "St. John", "Öztürk", "王"]
CITIES = ["Saint-Étienne", "São Paulo", "New York", "München", "L'Aquila", "København", "St. Louis", "Frankfurt (Main)"]
DOMAINS = ["example.com", "gmail.com", "googlemail.com", "mail.example.co.uk", "EXAMPLE.FR"]
# Country, its calling code, a national number as it is dialed there without the national prefix, a state, postal codes.
PLACES = [
    ("FR", "33", "612345{:03}", "Loire", "42{:03}"),
    ("US", "1", "6502530{:03}", "CA", "94{:03}-1234"),
    ("GB", "44", "7400123{:03}", "Kent", "M1 1AE"),
    ("DE", "49", "15123456{:03}", "Bayern", "80{:03}"),
    ("BR", "55", "11987654{:03}", "SP", "01310-{:03}"),
    ("CA", "1", "4165550{:03}", "QC", "K1A 0B1"),
    ("JP", "81", "9012345{:03}", "Tokyo", "100-0{:03}"),
    ("IT", "39", "3123456{:03}", "Lazio", "00{:03}"),
]


@dataclass(frozen=True)
class Person:
    email: str
    phone: str
    first_name: str
    last_name: str
    city: str
    state: str
    postal_code: str
    country: str

    def __str__(self) -> str:
        return self.email.strip()


def careless(random: Random, word: str) -> str:
    spaced = random.choice(["", " ", "\t"]) + word + random.choice(["", " ", "\n"])
    return random.choice([spaced, spaced.upper(), spaced.lower()])


def dialed(random: Random, code: str, number: str) -> str:
    plain = code + number
    return random.choice([f"+{plain}", f"+{code} {number[:3]} {number[3:]}", f"+{code}-{number[:2]}-{number[2:]}"])


def person(number: int) -> Person:
    random = Random(number)
    country, code, phone, state, postal_code = PLACES[number % len(PLACES)]
    local = random.choice(["ann", "a.n.n", "ann.lee+shop", "o'hara", "user_name-1", "x%tag"]) + str(number)
    return Person(
        careless(random, f"{local}@{random.choice(DOMAINS)}"),
        dialed(random, code, phone.format(number)),
        careless(random, random.choice(FIRST)),
        careless(random, random.choice(LAST)),
        careless(random, random.choice(CITIES)),
        careless(random, state),
        careless(random, postal_code.format(number)),
        careless(random, country),
    )


PEOPLE = [person(number) for number in range(100)]


@pytest.mark.parametrize("one", PEOPLE, ids=str)
def test_metas_own_sdk_makes_the_same_hashes(one: Person):
    facts = {
        "email": one.email,
        "phone": one.phone,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "city": one.city,
        "region": one.state,
        "postal_code": one.postal_code,
        "country": one.country,
    }
    given = {
        "em": one.email,
        "ph": one.phone,
        "fn": one.first_name,
        "ln": one.last_name,
        "ct": one.city,
        "st": one.state,
        "zp": one.postal_code,
        "country": one.country,
    }
    theirs = {key: Normalize.normalize(key, value, hash_field=True) for key, value in given.items()}
    assert ads.hashed(facts, ads.SHORT) == theirs


@pytest.mark.parametrize("one", PEOPLE, ids=str)
def test_googles_own_formatter_makes_the_same_hashes(one: Person):
    facts = {"email": one.email, "phone": one.phone, "first_name": one.first_name, "last_name": one.last_name}
    wanted = {name: name for name in facts} | {"email": "google_email"}
    google = Formatter()
    theirs = {
        "email": google.process_email_address(one.email, Encoding.HEX),
        "phone": google.process_phone_number(one.phone, Encoding.HEX),
        "first_name": google.process_given_name(one.first_name, Encoding.HEX),
        "last_name": google.process_family_name(one.last_name, Encoding.HEX),
    }
    assert ads.hashed(facts, wanted) == theirs
    assert people.country(one.country) == google.format_region_code(one.country)


def test_google_takes_a_phone_without_its_country_for_a_country_code_and_the_hub_leaves_it_out():
    assert Formatter().format_phone_number("(650) 253-0000") == "+6502530000"
    assert people.phone("(650) 253-0000") is None
    assert people.phone("(650) 253-0000", "US") == "+16502530000"


def test_google_keeps_the_stray_zero_of_a_number_that_the_hub_reads_as_it_is_dialed():
    assert Formatter().format_phone_number("+44 (0) 844 412 4653") == "+4408444124653"
    assert people.phone("+44 (0) 844 412 4653") == "+448444124653"


def visit(number: int) -> tuple[str | None, str | None]:
    """(the visitor's _fbc cookie, the page's fbclid): none, one, the same click, another click, an unreadable cookie."""
    random = Random(number)
    click = "IwAR" + "".join(random.choices("abcXYZ0189_-", k=20))
    cookie = f"fb.1.{1795000000000 + number}.{click}"
    return random.choice(
        [
            (None, click),
            (cookie, None),
            (cookie, click),
            (f"{cookie}.AQ", click),
            (cookie, click.swapcase() + "x"),
            ("not a cookie", click),
            (None, None),
        ]
    )


@pytest.mark.parametrize("number", range(100))
def test_metas_parameter_builder_makes_the_same_click_cookie(number: int, monkeypatch):
    moment = datetime(2026, 11, 21, 12, 0, number % 60, tzinfo=UTC)
    monkeypatch.setattr("capi_param_builder.param_builder.time.time", moment.timestamp)
    cookie, click = visit(number)
    builder = ParamBuilder(["shop.example"])
    builder.process_request(
        "www.shop.example", {"fbclid": [click]} if click else {}, {"_fbc": cookie} if cookie else {}, None
    )
    theirs, ours = builder.get_fbc(), people.current_fbc(cookie, click, moment)
    # A fifth part is the builder's own mark, which no other sender has to make.
    assert (ours and ours.split(".")[:4]) == (theirs and theirs.split(".")[:4])


def test_the_hundred_are_different_people():
    assert len({one.email.strip().lower() for one in PEOPLE}) == 100
