"""asking beside reading

An index for the messages whose senders have to be asked, and a count of the changes of connections.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'reading'")


def upgrade() -> None:
    columns = ["workspace_id", "due_at", "connection_id", "id"]
    op.create_index("ix_inbound_waiting_to_ask", "inbound", columns, sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_table(
        "change_count",
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_change_count")),
    )


def downgrade() -> None:
    op.drop_table("change_count")
    op.drop_index("ix_inbound_waiting_to_ask", "inbound")
