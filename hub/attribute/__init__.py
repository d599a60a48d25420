"""Step 4: whose is it, what for, and which order? The money ledger."""

from hub.attribute.books import Books, Changed, Observed

__all__ = ["Books", "Changed", "Observed"]
