"""The schema: migrations end where the tables stand, and an older database is told from a newer one."""

import random
from datetime import UTC, datetime, timedelta

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from ivr.store import api_tables, count_tables, counts, number_tables, schema
from ivr.store.counts import Counting
from ivr.store.database import opened_once
from tests import traffic_rows


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


def test_what_was_counted_before_read_is_counted_anew_beside_a_release_that_still_counts(database_url: str) -> None:
    """The release before goes on with its mark until it is replaced, and must leave nobody believing it."""
    now = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    counting = Counting(traffic_rows.LANGUAGES, traffic_rows.STOPS)
    with opened_once(database_url) as database:
        with database.writes() as tx:
            traffic_rows.write_calls(tx, random.Random(1), now - timedelta(days=9), 40)
        counts.roll_up(database, counting, now)
        with database.writes() as tx:  # as the release before leaves it
            tx.exec_driver_sql("DELETE FROM count_marks")
            tx.execute(count_tables.count_marks.insert().values(name="counts", upto=now))
            config = schema._config()
            config.attributes["connection"] = tx
            for table in ("hourly_counts", "daily_counts"):
                tx.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN read")
            for index in ("ix_messages_read", "ix_messages_dead"):
                tx.exec_driver_sql(f"DROP INDEX {index}")
            command.stamp(config, "0013")
        schema.upgrade(database)
        with database.reads() as tx:
            assert schema.state(tx) == "current"
            assert counts.upto(tx) is None, "nothing is said to be counted"
            assert sum(tx.execute(select(count_tables.hourly_counts.c.read)).scalars()) == 0
        counts.roll_up(database, counting, now)
        with database.reads() as tx:
            counted, _ = traffic_rows.recounted(tx)
            read = sum(measured.get("read", 0) for measured in counted.values())
            for kept in (count_tables.hourly_counts, count_tables.daily_counts):
                assert sum(tx.execute(select(kept.c.read)).scalars()) == read > 0
