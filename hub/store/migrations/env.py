"""Alembic's environment: runs migrations over the connection that hub.store.upgrade hands in."""

from typing import Any, Literal

from alembic import context

from hub.store import metadata
from hub.store.base import Moment, Money


def plain_types(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations name what the database stores, so that they do not change when our own types do."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment | Money) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=plain_types,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
