"""tries that do not count, and rules that were overridden

Asks for a verdict were the only tries that the schedule did not count. Now all before a replay, and refusals of
credentials, are others: the column gets a name that fits.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE delivery RENAME COLUMN asked TO uncounted")
    op.add_column("delivery", sa.Column("overridden", sa.String(length=20), nullable=True))
    op.create_index("ix_audit_subject", "audit", ["subject"])


def downgrade() -> None:
    op.drop_index("ix_audit_subject", "audit")
    op.drop_column("delivery", "overridden")
    op.execute("ALTER TABLE delivery RENAME COLUMN uncounted TO asked")
