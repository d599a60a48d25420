"""verdicts that come later

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("ticket", sa.String(length=1000), nullable=True))
    op.add_column("delivery", sa.Column("ticket_at", sa.BigInteger(), nullable=True))
    op.add_column("delivery", sa.Column("asked", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_delivery_ticket",
        "delivery",
        ["ticket"],
        unique=False,
        sqlite_where=sa.text("ticket IS NOT NULL"),
        postgresql_where=sa.text("ticket IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_ticket", table_name="delivery")
    op.drop_column("delivery", "asked")
    op.drop_column("delivery", "ticket_at")
    op.drop_column("delivery", "ticket")
