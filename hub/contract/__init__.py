"""The contract, version 1: all that a connector must know. What helps to write one is in :mod:`hub.toolkit`.

Docs: ``docs/connectors.md``. Read this package top-down: vocabulary, reasons, errors, inbound, money, conversion, calls,
auth, settings, connector.
"""

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
from hub.contract.calls import (
    Call,
    Outcome,
    Outcomes,
    Recipe,
    Record,
    Reply,
    Result,
)
from hub.contract.connector import (
    ALL_STAGES,
    ANY_FIELDS,
    MONEY_KINDS,
    Batch,
    Connector,
    Destination,
    Field,
    Limits,
    Paste,
    Settings,
    Snippet,
    Source,
    Unsigned,
)
from hub.contract.conversion import Campaigns, Consent, Contact, Context, Conversion, Item
from hub.contract.errors import (
    BadCredentials,
    BadMapping,
    ConfigError,
    ConnectorBroken,
    DeliveryError,
    Gone,
    HubError,
    InboundError,
    NotUnderstood,
    NotVerified,
    Refused,
    TryLater,
)
from hub.contract.inbound import Headers, Inbound
from hub.contract.settings import (
    Choice,
    Currency,
    LongWords,
    Number,
    Paths,
    Secret,
    Secrets,
    SecretUrl,
    SettingsSchema,
    Switch,
    Table,
    TimeZone,
    Url,
    Words,
)
from hub.contract.vocabulary import Category, Kind, Stage, Status, Text, Trust

__all__ = [name for name in dir() if name[0].isupper()]
