"""Identifiers of people, held against Meta's own SDK and against hashes worked out by hand."""

import re
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize

from hub.toolkit import people

A_DIGEST = "A" * 40 + "0123456789abcdef01234567"
EMAILS = [
    " Alex.Doe+shop@GMAIL.com ",
    "alex@example.com",
    "ALEX@EXAMPLE.COM",
    "\talex@example.com\n",
    "o'hara@example.co.uk",
    "élodie@example.fr",
    "info@bücher.example",
    "a@b.c",
    "first.last@sub.domain.example.museum",
    "user_name-1%tag@example.io",
    "İstanbul@example.com",
    A_DIGEST,
]
PHONES = [
    "+448444124653",
    "0044 844 412 4653",
    "+1 (650) 253-0000",
    "+33 6 12 34 56 78",
    "00 33 6 12 34 56 78",
    "+49-30-901820",
    " +81 3-1234-5678 ",
    "+5511987654321",
    A_DIGEST,
]
NAMES = [
    " Marie ",
    "O'Neil",
    "Jean-Luc",
    "de la Cruz",
    "José",
    "ЕЛЕНА",
    "王",
    "Dr. Strange",
    "Van  Dyke",
    "Ångström",
    A_DIGEST,
]
CITIES = [
    "São Paulo",
    "Saint-Étienne",
    "Washington D.C.",
    "L'Aquila",
    "Frankfurt (Main)",
    "  Paris 8 ",
    "東京",
    A_DIGEST,
]
STATES = ["CA", " ny ", "Bayern", "Île-de-France", "N.S.W.", "Loire", A_DIGEST]
ZIPS = ["94035-1234", "M1 1AE", " 75008 ", "K1A 0B1", "100-0001", "00501", "SW1A\t1AA", A_DIGEST]
COUNTRIES = ["US", "us", " Fr ", "u.s.", "gb", "JP", A_DIGEST]


def ours(field: str, value: str) -> str | None:
    if field == "country":
        code = people.country(value)
        return people.digest(code and code.lower())
    if field == "ph":
        number = people.phone(value)
        return people.digest(number and number.lstrip("+"))
    made = {
        "em": people.email,
        "fn": people.name,
        "ct": people.city,
        "st": people.region,
        "zp": people.postal_code,
    }[field](value)
    return people.digest(made)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field, values in {
            "em": EMAILS,
            "ph": PHONES,
            "fn": NAMES,
            "ct": CITIES,
            "st": STATES,
            "zp": ZIPS,
            "country": COUNTRIES,
        }.items()
        for value in values
    ],
)
def test_hashes_agree_with_metas_own_sdk(field, value):
    assert ours(field, value) == Normalize.normalize(field, value, hash_field=True)


def test_a_phone_without_its_country_is_left_out_since_no_hash_of_it_can_match():
    assert Normalize.normalize("ph", "(650) 555-1212", hash_field=False) == "6505551212"
    assert people.phone("(650) 555-1212") is None
    assert people.phone("448444124653") is None


def test_a_phone_takes_its_country_from_the_person():
    assert people.phone("(650) 253-0000", "US") == "+16502530000"
    assert people.phone("06 12 34 56 78", "France") == "+33612345678"
    assert people.phone("33612345678", "FR") == "+33612345678"
    assert people.phone("+44 20 7946 0018", "US") == "+442079460018"


def test_the_stray_zero_after_the_country_code_goes_where_the_sdk_keeps_it():
    assert Normalize.normalize("ph", "+44 (0) 844 412 4653", hash_field=False) == "4408444124653"
    for written in ("+44 (0) 844 412 4653", "+4408444124653", "0044 (0)844 412 4653", "(+44) 0844 412 4653"):
        assert people.phone(written) == "+448444124653"


def test_a_zero_that_belongs_to_the_number_stays():
    assert people.phone("+39 06 6982") == "+39066982"
    assert people.phone("+390669821234") == "+390669821234"
    assert people.phone("+2250102030405") == "+2250102030405"


@pytest.mark.parametrize(
    "number", ["", "n/a", "+", "+0", "00", "123", "+12", "06" * 150, None, True, {}, ["+33612345678"]]
)
def test_what_is_no_phone_is_left_out(number):
    assert people.phone(number, "FR") is None


def test_a_national_number_that_does_not_exist_in_that_country_is_left_out():
    assert people.phone("06 12 34 56 78", "US") is None
    assert people.phone("06 12 34 56 78", "Atlantis") is None


def test_an_address_that_cannot_exist_is_left_out_where_the_sdk_hashes_it():
    assert Normalize.normalize("em", "a b@c.d, e@f.g", hash_field=False) == "a b@c.d, e@f.g"
    for broken in ("a b@c.d, e@f.g", "nobody", "@example.com", "a@b", "a@@b.c", "", "   ", None, 7, {"a": 1}):
        assert people.email(broken) is None


def test_an_md5_is_no_digest_of_ours_and_no_address():
    assert (
        Normalize.normalize("em", "d41d8cd98f00b204e9800998ecf8427e", hash_field=True)
        == "d41d8cd98f00b204e9800998ecf8427e"
    )
    assert people.email("d41d8cd98f00b204e9800998ecf8427e") is None


def test_a_state_name_becomes_its_two_letters_as_metas_page_asks_though_not_its_sdk():
    assert Normalize.normalize("st", "California", hash_field=False) == "california"
    assert people.region("California") == "ca"
    assert people.region("District of Columbia", "US") == "dc"
    assert people.region("US-CA") == "ca"
    assert people.region("Québec", "CA") == "qc"
    assert people.region("British Columbia", "Canada") == "bc"


def test_the_same_word_outside_the_us_and_canada_stays_a_word():
    assert people.region("Georgia", "GE") == "georgia"
    assert people.region("Alberta", "FR") == "alberta"


def test_a_country_is_known_by_code_and_name_where_the_sdk_raises():
    with pytest.raises(TypeError, match="Invalid format for country"):
        Normalize.normalize("country", "Germany", hash_field=True)
    written = {
        "Germany": "DE",
        "allemagne": "DE",
        "Deutschland": "DE",
        "DEU": "DE",
        "usa": "US",
        "États-Unis": "US",
        "United States of America": "US",
        "Etats Unis": "US",
        "UK": "GB",
        "England": "GB",
        "GBR": "GB",
        "XK": "XK",
        "Côte d’Ivoire": "CI",
        "cote d'ivoire": "CI",
        "SUISSE": "CH",
        "Türkiye": "TR",
        "Trinidad & Tobago": "TT",
    }
    assert {name: people.country(name) for name in written} == written
    for unknown in ("Atlantis", "", "ZZ", "12", None, [], 33):
        assert people.country(unknown) is None


def test_what_is_empty_after_cleaning_is_left_out_where_the_sdk_hashes_nothing():
    assert Normalize.normalize("ct", "75008", hash_field=True) == sha256(b"").hexdigest()
    assert people.city("75008") is None
    assert people.region(" - ") is None
    assert people.postal_code(" ") is None
    assert people.name(" \t") is None
    assert people.digest("") is None
    assert people.digest(None) is None


def test_a_digest_is_never_hashed_again_whatever_it_stands_for():
    lowered = A_DIGEST.lower()
    for normalize in (people.email, people.google_email, people.phone, people.name, people.city, people.region):
        assert people.digest(normalize(A_DIGEST)) == lowered
    assert people.digest(A_DIGEST) == lowered
    assert people.country(A_DIGEST) == lowered


def test_a_digest_is_sha_256_in_lower_case_hex_of_utf_8():
    assert people.digest("person@example.com") == "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
    assert people.digest("sãopaulo") == sha256(b"s\xc3\xa3opaulo").hexdigest()
    assert people.digest("g" * 64) == sha256(b"g" * 64).hexdigest()


def test_half_a_surrogate_pair_hashes_instead_of_failing():
    assert people.digest(people.name("Ann\ud83d")) == people.digest("ann?")


def test_numbers_are_read_as_text_and_everything_else_as_nothing():
    assert people.postal_code(94035) == "94035"
    assert people.name(True) is None
    assert people.city({"name": "Paris"}) is None
    assert people.region(["CA"]) is None


def test_gmail_addresses_lose_their_dots_for_google_only():
    assert people.google_email(" Alex.Doe+shop@GMAIL.com ") == "alexdoe@gmail.com"
    assert people.google_email("Alex.Doe+shop@gmail.com", drop_suffix=False) == "alexdoe+shop@gmail.com"
    assert people.google_email("a.l.e.x@googlemail.com") == "alex@googlemail.com"
    assert people.google_email("alex.doe+shop@example.com") == "alex.doe+shop@example.com"
    assert people.google_email("...@gmail.com") is None


def test_the_fixed_points_of_metas_documentation_hold():
    assert people.email(" Alex.Doe+shop@GMAIL.com ") == "alex.doe+shop@gmail.com"
    assert people.postal_code("94035-1234") == "94035"
    assert people.postal_code("M1 1AE") == "m11ae"
    assert people.city("São Paulo") == "sãopaulo"
    assert people.phone("0044 844 412 4653") == "+448444124653"


SEEN = datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)


def test_a_click_cookie_is_made_of_the_click_id_as_it_is_and_the_time_it_was_first_seen():
    assert people.fbc("IwAR2_Case-Kept", SEEN) == "fb.1.1795262400123.IwAR2_Case-Kept"
    assert people.fbc("x", SEEN, index=2) == "fb.2.1795262400123.x"
    assert people.fbp(SEEN, 1098115397) == "fb.1.1795262400123.1098115397"


def test_a_cookie_passes_unchanged_with_or_without_its_fifth_part():
    for cookie in (
        "fb.1.1596403881668.1116446470",
        "fb.2.1554763741205.IwAR2F4.AQ",
        "fb.1.1596403881668.A_b.AgICAQIB",
    ):
        assert people.fb_cookie(cookie) == cookie
    for other in (
        "",
        "fb.1.2.3",
        "IwAR2F4",
        "fb.x.1596403881668.1",
        "fb.1.1596403881668.",
        "fb.1.1596403881668.a b",
        None,
        5,
    ):
        assert people.fb_cookie(other) is None


def test_the_cookie_is_kept_for_the_same_click_and_replaced_by_another_one():
    cookie = "fb.1.1596403881668.AbC.AQ"
    assert people.current_fbc(cookie, None, SEEN) == cookie
    assert people.current_fbc(cookie, "AbC", SEEN) == cookie
    assert people.current_fbc(cookie, "abc", SEEN) == "fb.1.1795262400123.abc"
    assert people.current_fbc("not a cookie", "AbC", SEEN) == "fb.1.1795262400123.AbC"
    assert people.current_fbc(None, " ", SEEN) is None


def test_stable_ids_are_the_same_everywhere_and_do_not_run_into_each_other():
    assert str(people.stable_uuid("ga4", "a@example.com")) == "04b5b85d-382c-5d3a-bc4c-c0981c529a08"
    assert people.stable_uuid("a", "b") != people.stable_uuid("ab")


def test_a_stable_ulid_carries_its_time_and_is_the_same_again():
    moment = datetime(2026, 11, 20, 18, 42, 7, tzinfo=UTC)
    made = people.stable_ulid(moment, "event", "1")
    assert made == people.stable_ulid(moment, "event", "1") != people.stable_ulid(moment, "event", "2")
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", made)
    milliseconds = 0
    for char in made[:10]:
        milliseconds = milliseconds * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(char)
    assert milliseconds == moment.timestamp() * 1000
