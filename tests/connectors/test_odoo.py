"""What Odoo's samples cannot show: wildcards in an address, finds that are not the same address."""

from __future__ import annotations

from platforms import Platform, record

from connectors.odoo.destination import Odoo

SETTINGS = {"url": "https://acme.odoo.com/", "api_key": "made-up"}


def test_wildcards_in_an_address_match_only_themselves():
    platform = Platform(Odoo(), SETTINGS, (200, [{"id": 5, "email": "annaXb@example.com"}]))
    platform.deliver([record({"email": "Anna_b@example.com"})][0])
    assert platform.sent[0]["domain"] == [["email", "=ilike", "anna\\_b@example.com"]]
    assert platform.paths[1] == "POST /json/2/res.partner/create"


def test_someone_known_keeps_the_name():
    platform = Platform(Odoo(), SETTINGS, (200, [{"id": 5, "email": "Anna@example.com"}]))
    platform.deliver(record({"email": "anna@example.com", "name": "A.", "hub_stage_at": "2026-11-20T18:42:07Z"}))
    assert platform.sent[1] == {"ids": [5], "vals": {"x_hub_stage_at": "2026-11-20 18:42:07"}}


def test_a_field_is_created_on_the_model_that_odoo_names():
    platform = Platform(Odoo(), SETTINGS, (200, {}), *[(200, [83])] * 30)
    assert platform.ask("prepare") == "Created 15 fields in Odoo."
    made = [body["vals_list"][0] for body in platform.sent if "vals_list" in body]
    assert (made[0]["model_id"], made[0]["name"], made[0]["ttype"]) == (83, "x_hub_summary", "text")
