"""numbers that are never given twice

The next number was one more than the highest connection's, so that a removed pixel's number went to the next connection.
No number is higher than the count of connections that were ever added, which the audit knows: the counter begins there.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    highest = sa.text(
        "INSERT INTO counter (name, last) SELECT 'connection', max(given) FROM ("
        "SELECT coalesce(max(number), 0) AS given FROM connection "
        "UNION ALL SELECT count(*) FROM audit WHERE action = 'connection.added') AS numbers"
    )
    op.execute(highest)


def downgrade() -> None:
    op.drop_table("counter")
