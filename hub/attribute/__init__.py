"""Step 4: whose is it, what for, and which order? The money ledger."""

from hub.attribute.books import Books
from hub.attribute.observed import Observed
from hub.attribute.pages import Changed

__all__ = ["Books", "Changed", "Observed"]
