"""The schema: migrations end where the tables stand, and an older database is told from a newer one."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ivr.store import api_tables, count_tables, number_tables, schema
from ivr.store.database import opened_once


def test_migrations_end_where_the_tables_stand(database_url: str) -> None:
    with opened_once(database_url) as database, database.reads() as tx:
        # SQLite keeps the length that a column was made with, and holds nobody to it.
        context = MigrationContext.configure(tx, opts={"compare_type": database.dialect == "postgresql"})
        assert compare_metadata(context, number_tables.number_facts.metadata) == []
        assert api_tables.api_answers.metadata is number_tables.number_facts.metadata
        assert count_tables.hourly_counts.metadata is number_tables.number_facts.metadata


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    with opened_once(database_url) as database:
        schema.upgrade(database)
        with database.reads() as tx:
            assert schema.state(tx) == "current"


def test_older_and_newer(database_url: str) -> None:
    with opened_once(database_url) as database:
        with database.writes() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'of-a-later-release'")
        with database.reads() as tx:
            assert schema.state(tx) == "newer"
        schema.upgrade(database)  # an older release leaves it alone
        with database.reads() as tx:
            assert schema.state(tx) == "newer"
        with database.writes() as tx:
            tx.exec_driver_sql("DROP TABLE alembic_version")
        with database.reads() as tx:
            assert schema.state(tx) == "older"
