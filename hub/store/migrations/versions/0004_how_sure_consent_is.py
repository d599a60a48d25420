"""how sure consent is

Of what was recorded before, it is not known how sure it was. So that nobody is written to for it, a "no" counts as the
surest and a "yes" as the least sure.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEPT = "contact_id, purpose, workspace_id, granted, basis, at"


def upgrade() -> None:
    op.execute(f"CREATE TABLE consent_before AS SELECT {KEPT} FROM consent")  # noqa: S608 - our own names
    op.drop_table("consent")
    op.create_table(
        "consent",
        *_columns(),
        sa.Column("trust", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "purpose", "granted", "trust", name=op.f("pk_consent")),
    )
    op.execute(
        f"INSERT INTO consent ({KEPT}, trust) "  # noqa: S608 - our own names
        f"SELECT {KEPT}, CASE WHEN granted THEN 'claimed' ELSE 'proven' END FROM consent_before"
    )
    op.drop_table("consent_before")


def downgrade() -> None:
    op.execute(f"CREATE TABLE consent_after AS SELECT {KEPT} FROM consent")  # noqa: S608 - our own names
    op.drop_table("consent")
    op.create_table("consent", *_columns(), sa.PrimaryKeyConstraint("contact_id", "purpose", name=op.f("pk_consent")))
    op.execute(
        f"INSERT INTO consent ({KEPT}) SELECT {KEPT} FROM (SELECT consent_after.*, row_number() OVER "  # noqa: S608 - names of columns, written above
        "(PARTITION BY contact_id, purpose ORDER BY at DESC, granted) AS place FROM consent_after) AS ranked "
        "WHERE place = 1"
    )
    op.drop_table("consent_after")


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("contact_id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    ]
