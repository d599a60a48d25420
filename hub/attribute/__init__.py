"""Step 4: whose is it, what for, and which order? The money ledger."""

from hub.attribute.changes import Changed
from hub.attribute.ledger import Ledger
from hub.attribute.observed import Observed

__all__ = ["Changed", "Ledger", "Observed"]
