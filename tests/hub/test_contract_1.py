"""Contract 1 is frozen: what a stranger's connector may rely on is still there. Names may be added, never taken away."""

from __future__ import annotations

import dataclasses

import pytest

import hub.contract as contract

NAMES = """
ALL_STAGES ANY_FIELDS MONEY_KINDS ApiKeyHeader ApiKeyQuery Auth BadCredentials BadMapping Basic Batch Bearer Call
Campaigns Category Choice ConfigError Connector ConnectorBroken Consent Contact Context Conversion Currency
DeliveryError Destination Field Gone Headers HubError Inbound InboundError Item Kind Limits LongWords MailServer
NotUnderstood NotVerified Number OAuth1 OAuth2 OAuth2ClientCredentials Outcome Outcomes Paste Paths Recipe Record
Refused Reply Result Secret SecretUrl Secrets ServiceAccount Settings SettingsSchema SignedBody Snippet Source Stage
Status Switch Table Text TimeZone Trust TryLater Unsigned Url Words
""".split()  # noqa: SIM905 - a list of words reads better so
MEMBERS = {
    contract.Connector: "slug name category status contract homepage Settings settings_version auth upgrade_settings check",
    contract.Source: "stages kinds identity_headers signs_body signs_time read_back_proves resend_is_news takes_records door "
    "snippet SnippetChoices snippets columns may_set_cookie handshake verify rehearse needs_fetch fetch normalize",
    contract.Destination: "stages kinds default_stages purpose fields default_mapping presets batch amends max_age limits "
    "subscribes hook_hosts sends_tests discover prepare group deliver poll judge preset_outcomes",
    contract.Call: "method url json form params body headers idempotency_key timeout cache_seconds authenticate get post put "
    "patch delete content",
    contract.Reply: "status headers body ok json",
    contract.Inbound: "body headers received_at method path query url remote_ip fetched json form content",
    contract.Conversion: "event_id kind stage occurred_at order_id order_aliases value currency recurring subscription_id "
    "money_id test contact items coupon campaigns offer context consent reason flags extra to_dict from_dict",
    contract.Record: "id event_id kind stage occurred_at values test write",
    contract.Outcome: "result reason detail after field ticket delivered skipped pending refused",
    contract.Batch: "max_records whole_batch_fails",
    contract.Limits: "per_second concurrency",
    contract.Field: "key label type required help group options max_length",
}


def test_every_name_of_contract_1_is_still_exported() -> None:
    assert set(NAMES) - set(contract.__all__) == set()


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
def test_every_member_of_contract_1_is_still_there(kind: type) -> None:
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    declared = {name for each in kind.__mro__ for name in getattr(each, "__annotations__", {})}
    assert set(MEMBERS[kind].split()) - fields - declared - set(dir(kind)) == set()
