from visitors import PASSWORD, Visitor

from hub.store import Store, accounts

ANSWERS = {
    "workspace": "Atelier Martin",
    "time_zone": "Europe/Paris",
    "currency": "EUR",
    "language": "fr",
    "email": "anna@example.com",
    "password": PASSWORD,
}


def test_an_empty_hub_sends_everyone_to_its_set_up(anyone: Visitor) -> None:
    assert anyone.get("/").headers["Location"] == "/setup"
    assert anyone.get("/login").headers["Location"] == "/setup"
    assert anyone.get("/setup").status_code == 200


def test_the_set_up_makes_the_workspace_and_logs_its_owner_in(anyone: Visitor, store: Store) -> None:
    anyone.get("/setup")
    assert anyone.post("/setup", ANSWERS).headers["Location"] == "/"
    home = anyone.get("/")
    assert home.status_code == 200
    assert "Atelier Martin" in home.text
    assert 'lang="fr"' in home.text
    with store.read() as tx:
        space = accounts.first_workspace(tx)
    assert space is not None
    assert (space["time_zone"], space["currency"], space["language"]) == ("Europe/Paris", "EUR", "fr")


def test_the_set_up_is_closed_once_somebody_owns_the_hub(anyone: Visitor, store: Store) -> None:
    anyone.get("/setup")
    anyone.post("/setup", ANSWERS)
    anyone.get("/")
    second = anyone.post("/setup", ANSWERS | {"email": "intruder@example.com"})
    assert second.headers["Location"] == "/login"
    assert anyone.get("/setup").headers["Location"] == "/login"
    with store.read() as tx:
        assert accounts.user_by_email(tx, "intruder@example.com") is None


def test_answers_that_cannot_be_used_are_named_in_the_readers_language(anyone: Visitor) -> None:
    anyone.get("/setup", headers={"Accept-Language": "fr"})
    wrong = ANSWERS | {"password": "short", "time_zone": "Paris", "currency": "money", "email": "anna"}
    answer = anyone.post("/setup", wrong, headers={"Accept-Language": "fr"})
    assert answer.status_code == 422
    for sentence in (
        "Utilisez au moins 10 caractères.",
        "Choisissez un fuseau",
        "code de trois lettres",
        "adresse e-mail",
    ):
        assert sentence in answer.text
    assert "Atelier Martin" in answer.text
    assert "short" not in answer.text
