"""What a person is told when a call brought no answer, and what the hub does about it."""

from __future__ import annotations

from requests import RequestException, Timeout
from requests.exceptions import ContentDecodingError, InvalidHeader, InvalidSchema, InvalidURL, SSLError

from hub.contract.errors import DeliveryError, Refused, TryLater
from hub.outgoing.curl import BadCertificate, NameNotFound
from hub.outgoing.guard import AddressRefused

FAILURES = (AddressRefused, RequestException, OSError, ValueError)
"""What preparing or sending a request may raise, beside DeliveryErrors."""


def failure(error: Exception, host: str) -> DeliveryError:
    """The DeliveryError that one of FAILURES stands for. ``host`` was called."""
    if isinstance(error, AddressRefused):
        return Refused(str(error), reason="address_refused")
    if isinstance(error, (InvalidURL, InvalidHeader, InvalidSchema, UnicodeError)):
        detail = str(error)[:200]
        return Refused("The address or a header cannot be sent.", detail=detail, reason="address_refused")
    if isinstance(error, BadCertificate):
        what = f"The certificate of {host} is not valid."
    elif isinstance(error, SSLError):
        what = f"No safe connection to {host} can be made (TLS 1.2 or later)."
    elif isinstance(error, (TimeoutError, Timeout)):
        what = f"{host} did not answer in time."
    elif isinstance(error, NameNotFound):
        what = f"The name {host} cannot be found."
    elif isinstance(error, ContentDecodingError):
        what = f"The answer of {host} cannot be unpacked."
    else:
        what = f"{host} cannot be reached."
    return TryLater(f"{what} The hub will try again.", detail=f"{type(error).__name__}: {error}"[:200])
