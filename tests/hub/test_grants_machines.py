"""Tokens that nobody grants (client credentials, service accounts), and OAuth 1 signatures against published examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey
from msgspec.structs import replace
from shop import Shop
from vendor import CLIENT, SECRET, Vendor, vendor

from hub.connecting.connected import Connected
from hub.connecting.rehearsal import show
from hub.contract import (
    Call,
    Connector,
    OAuth1,
    OAuth2ClientCredentials,
    Reply,
    Secret,
    ServiceAccount,
    SettingsSchema,
    Text,
)
from hub.contract.errors import BadCredentials, TryLater
from hub.contract.inbound import Headers
from hub.outgoing import grants, oauth, oauth1
from hub.outgoing.exchange import Exchange
from hub.outgoing.sender import Sender
from hub.steer import connections as steer
from hub.steer.errors import Invalid
from hub.store import Store


class _Keys(SettingsSchema):
    login = Secret(Text("Address", "Adresse"))
    client_id = Secret(Text("Client id", "Identifiant"))
    client_secret = Secret(Text("Client secret", "Secret"))
    service_account = Secret(Text("Key", "Clé"))


class _Machine(Connector):
    slug = name = "machine"
    Settings = _Keys
    auth = OAuth2ClientCredentials(token_url="http://{host}/token", scope="everything")


class _Form(_Machine):
    auth = OAuth2ClientCredentials(token_url="{login}/token", basic=False)


class _Robot(_Machine):
    auth = ServiceAccount(scopes=("sheets", "drive"), token_url="{login}/token")  # type: ignore[assignment]  # narrower than the base


@pytest.fixture
def platform() -> Iterator[Vendor]:
    with vendor() as running:
        yield running


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what is asked of the database is tested on both in test_grants_at_once.py."""
    (tmp_path / "data").mkdir(exist_ok=True)
    return f"sqlite:///{tmp_path / 'data' / 'hub.db'}"


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def connected(shop: Shop, connector: Connector, platform: Vendor, **more: str) -> Connected:
    with shop.store.read() as tx:
        row = steer.get(tx, shop.destination_id)
    settings = {"login": platform.url, "client_id": CLIENT, "client_secret": SECRET} | more
    return Connected(replace(row, role="source"), connector, settings)


def ask(connection: Connected, platform: Vendor) -> None:
    def recipe() -> Any:
        yield Call.get(f"{platform.url}/api")

    sender = Sender()
    try:
        sender.run(connection, recipe())
    finally:
        sender.close()


@pytest.mark.parametrize("connector", [_Machine(), _Form()])
def test_a_token_for_a_client_is_got_once_and_kept_for_all_processes(
    shop: Shop, platform: Vendor, connector: Connector
) -> None:
    connection = connected(shop, connector, platform)
    for _ in range(3):
        ask(connection, platform)
        grants.forget(connection.id)  # as another process would know nothing of it
    assert [form["grant_type"] for form in platform.asked] == ["client_credentials"]
    assert len(platform.received) == 3
    assert platform.asked[0].get("scope", "") == connector.auth.scope  # type: ignore[attr-defined]  # this test's connector has it


def test_a_refused_client_token_is_got_anew(shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "JUST_NOW", 0)
    connection = connected(shop, _Machine(), platform)
    ask(connection, platform)
    platform.expire_access_tokens()
    ask(connection, platform)
    assert (len(platform.asked), platform.refused, len(platform.received)) == (2, 1, 2)


def test_many_calls_at_once_share_one_token_and_its_renewal(
    shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "JUST_NOW", 0)
    connection = connected(shop, _Machine(), platform)

    def recipe() -> Any:
        yield Call.get(f"{platform.url}/api")

    sender = Sender()
    for _ in range(2):
        starts = [(number, recipe(), Exchange()) for number in range(6)]
        assert [ended.error for ended in sender.run_many(connection, starts, 4)] == [None] * 6
        platform.expire_access_tokens()
    sender.close()
    assert (len(platform.asked), len(platform.received)) == (2, 12)


def test_a_token_refused_as_soon_as_it_was_got_is_not_got_again_and_again(shop: Shop, platform: Vendor) -> None:
    platform.life = -1
    for _ in range(3):
        with pytest.raises(BadCredentials):
            ask(connected(shop, _Machine(), platform), platform)
    assert len(platform.asked) <= 4


def test_another_client_secret_means_another_token(shop: Shop, platform: Vendor) -> None:
    ask(connected(shop, _Machine(), platform), platform)
    with pytest.raises(BadCredentials, match="client id, secret or key"):
        ask(connected(shop, _Machine(), platform, client_secret="wrong"), platform)
    ask(connected(shop, _Machine(), platform), platform)
    assert len(platform.asked) == 2


def test_a_client_token_that_is_not_given_for_now_is_a_passing_failure(shop: Shop, platform: Vendor) -> None:
    platform.troubles = [(502, {})]
    with pytest.raises(TryLater):
        ask(connected(shop, _Machine(), platform), platform)
    ask(connected(shop, _Machine(), platform), platform)


# -- service accounts --------------------------------------------------------------------------------------------------

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ACCOUNT = {
    "type": "service_account",
    "project_id": "p",
    "private_key_id": "key-1",
    "private_key": PEM,
    "client_email": "hub@p.iam.gserviceaccount.example.com",
    "token_uri": "https://elsewhere.example.com/token",
}


def test_a_service_account_signs_for_its_token(shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vendor, "_client", lambda *_: (CLIENT, SECRET))
    connection = connected(shop, _Robot(), platform, service_account=json.dumps(ACCOUNT))
    for _ in range(2):
        ask(connection, platform)
        grants.forget(connection.id)
    assert len(platform.received) == 2
    (form,) = platform.asked
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    token = jwt.decode(form["assertion"], RSAKey.import_key(PEM), algorithms=["RS256"])
    claims = token.claims
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert (claims["iss"], claims["aud"]) == (ACCOUNT["client_email"], f"{platform.url}/token")
    assert claims["scope"] == "sheets drive"
    assert claims["exp"] - claims["iat"] == 3600


EC_PEM = (
    ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
)


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("AIzaSyNotAKeyFile", "This is not JSON"),
        ("", "This is not JSON"),
        ("[]", "not the JSON key of a service account"),
        ('{"installed": {"client_id": "x"}}', "it says “installed”"),
        ('{"type": "authorized_user"}', "it says “authorized_user”"),
        (json.dumps(ACCOUNT | {"private_key": ""}), "private_key is missing"),
        (json.dumps({"type": "service_account", "private_key": PEM}), "client_email is missing"),
        (json.dumps(ACCOUNT | {"private_key": PEM[:200]}), "private key in it cannot be read"),
        (json.dumps(ACCOUNT | {"private_key": EC_PEM}), "private key in it cannot be read"),
    ],
)
def test_what_is_not_a_service_accounts_key_is_told_apart(shop: Shop, platform: Vendor, pasted: str, why: str) -> None:
    with pytest.raises(oauth.NotAKey, match=why) as caught:
        oauth.service_account_key(pasted)
    assert caught.value.said.fr
    with pytest.raises(BadCredentials, match=why):
        ask(connected(shop, _Robot(), platform, service_account=pasted), platform)
    assert platform.asked == []


def test_a_wrong_key_is_refused_as_it_is_saved(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steer, "find_connector", lambda *_: _Robot())
    settings = {"service_account": "AIzaSyNotAKeyFile", "login": "x", "client_id": "x", "client_secret": "x"}
    with shop.store.write() as tx, pytest.raises(Invalid) as caught:
        steer.change(tx, shop.route["created_at"], shop.destination_id, settings=settings)
    assert "Ce n'est pas du JSON" in caught.value.in_("fr")["service_account"][0]


# -- OAuth 1 -----------------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_rfcs_example() -> None:
    """RFC 5849, section 1.2: a photo is asked for. Its header has no oauth_version, which section 3.1 leaves open."""
    from authlib.oauth1.rfc5849.signature import construct_base_string, hmac_sha1_signature

    pairs = [
        ("file", "vacation.jpg"),
        ("size", "original"),
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"),
        ("oauth_nonce", "chapoH"),
    ]
    base = construct_base_string("GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", pairs)
    assert hmac_sha1_signature(base, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00") == "MdpQcU8iPSUjWoN/UDMsK2sui9I="


def test_the_header_is_that_of_xs_own_example() -> None:
    """docs.x.com, "Creating a signature" and "Authorizing a request": a status is posted with one query parameter."""
    header = oauth1.authorization(
        "POST",
        "https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
        [("include_entities", "true"), ("status", "Hello Ladies + Gentlemen, a signed OAuth request!")],
        [
            "xvz1evFS4wEEPTGEFPHBog",
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ],
        "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "1318622958",
    )
    assert 'oauth_signature="hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D"' in header
    assert header.startswith('OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="kYjz')


class _Bird(_Machine):
    auth = OAuth1()  # type: ignore[assignment]  # narrower than the base


KEYS = {"consumer_key": "ck", "consumer_secret": "cs", "access_token": "at", "access_token_secret": "ats"}


@pytest.mark.parametrize(
    ("call", "signed"),
    [
        (Call.get("https://example.com/a?b=1", params={"c d": "é"}), [("b", "1"), ("c d", "é")]),
        (Call.post("https://example.com/a", form={"x": "1 2", "y": ""}), [("x", "1 2"), ("y", "")]),
        (Call.post("https://example.com/a", json={"x": "not signed"}), []),
    ],
)
def test_query_and_form_are_signed_and_json_is_not(
    shop: Shop, platform: Vendor, monkeypatch: pytest.MonkeyPatch, call: Call, signed: list[tuple[str, str]]
) -> None:
    connection = connected(shop, _Bird(), platform, **KEYS)
    seen: list[Any] = []
    monkeypatch.setattr(oauth1, "authorization", lambda *given: seen.append(given) or "OAuth signed")
    body, content_type = call.content()
    headers = {"Content-Type": content_type} if content_type else {}
    grants.authorize(_Bird.auth, call, connection, headers, dict(call.params or {}), body, _nobody)
    assert headers["Authorization"] == "OAuth signed"
    assert seen[0][:4] == (call.method, call.url, signed, list(KEYS.values()))


def test_each_signature_has_a_nonce_of_its_own(shop: Shop, platform: Vendor) -> None:
    connection = connected(shop, _Bird(), platform, **KEYS)
    made = set()
    for _ in range(3):
        headers: dict[str, str] = {}
        grants.authorize(_Bird.auth, Call.get("https://example.com/"), connection, headers, {}, b"", _nobody)
        made.add(headers["Authorization"])
    assert len(made) == 3


def test_a_missing_key_is_told(shop: Shop, platform: Vendor) -> None:
    connection = connected(shop, _Bird(), platform, **(KEYS | {"access_token": ""}))
    with pytest.raises(BadCredentials, match="four keys"):
        grants.authorize(_Bird.auth, Call.get("https://example.com/"), connection, {}, {}, b"", _nobody)


def _nobody(call: Call) -> Reply:
    raise AssertionError(f"{call.url} was asked")


# -- what people see ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "shown"), [(_Machine(), "Bearer ***"), (_Robot(), "Bearer ***"), (_Bird(), "OAuth ***")]
)
def test_a_preview_shows_that_the_call_is_authorized_and_no_more(connector: Connector, shown: str) -> None:
    assert show(Call.get("https://example.com/"), connector, {})["headers"] == {"Authorization": shown}
    assert show(Call.get("https://example.com/", authenticate=False), connector, {})["headers"] == {}


@pytest.mark.parametrize("told", [b"", b"null", b"[]", b'{"access_token": 7}', b'{"access_token": ""}', b"<html>"])
def test_a_token_answer_without_a_token_is_a_passing_failure(told: bytes) -> None:
    with pytest.raises(TryLater):
        oauth.read_answer(Reply(200, Headers(), told), "Cloud")


@pytest.mark.parametrize(
    ("said", "life"), [("3600", 3600.0), (3600, 3600.0), (0, None), (None, None), ("soon", None), ([], None)]
)
def test_a_life_is_read_however_it_is_told(said: Any, life: float | None) -> None:
    answer = json.dumps({"access_token": "at", "expires_in": said}).encode()
    assert oauth.read_answer(Reply(200, Headers(), answer), "Cloud").life == life
