"""How the rows are counted, in SQL that both databases read; `{hour}` is an hour's beginning, in the words of each."""

from sqlalchemy import TextClause, bindparam, text

from ivr.store.count_tables import CAME_LATE, READ, READ_IN

_HOUR = {
    "sqlite": "substr({column}, 1, 13)",
    "postgresql": "date_trunc('hour', {column})",
}

# A call is of the first branch that it was offered, of "" where it was offered none.
CALLS = """
SELECT {hour:c.started_at} AS hour, c.brand, 'calls' AS measure, c.dialled,
    COALESCE((SELECT d.branch FROM deflections d WHERE d.call_sid = c.call_sid AND d.brand = c.brand
              ORDER BY d.offered_at, d.id LIMIT 1), '') AS branch,
    COUNT(*) AS many
FROM calls c WHERE c.started_at >= :begin AND c.started_at < :until
GROUP BY 1, 2, 4, 5
"""

OFFERED = """
SELECT {hour:d.offered_at} AS hour, d.brand, 'offered' AS measure, COALESCE(c.dialled, '') AS dialled, d.branch,
    COUNT(*) AS many
FROM deflections d LEFT JOIN calls c ON c.call_sid = d.call_sid
WHERE d.offered_at >= :begin AND d.offered_at < :until
GROUP BY 1, 2, 4, 5
"""

_TELL = ", ".join(f"'{channel}'" for channel in READ_IN)

# A text is sent when its channel took it, and read when its channel tells so. A reply is a text of the consumer's after
# the greeting, by whichever channel, and before the brand's next one that did not fail; a wish for no more texts is
# none. The channel is that of the greeting that stands, of the last where all failed, and "" where none was tried. The
# reason is why the offer has no text, as far as is known.
ACCEPTED = f"""
SELECT hour, brand, branch, channel, dialled, reason, COUNT(*) AS accepted, SUM(sent) AS sent,
    SUM(delivered) AS delivered, SUM(read) AS read, SUM(replied) AS replied, SUM(conversation) AS conversation,
    SUM(closed) AS closed
FROM (
    SELECT {{hour:d.offered_at}} AS hour, d.brand, d.branch, COALESCE(c.dialled, '') AS dialled,
        COALESCE((SELECT COALESCE(g.channel, 'sms') FROM messages g
            WHERE g.deflection_id = d.id AND g.kind = 'greeting'
            ORDER BY CASE WHEN g.state IN ('failed', 'dead') THEN 1 ELSE 0 END, g.created_at DESC, g.id DESC LIMIT 1
            ), '') AS channel,
        CASE WHEN EXISTS (SELECT 1 FROM messages g WHERE g.deflection_id = d.id AND g.kind = 'greeting'
            AND (g.provider_id IS NOT NULL OR g.state IN ('sent', 'delivered'))) THEN 1 ELSE 0 END AS sent,
        CASE WHEN EXISTS (SELECT 1 FROM messages g WHERE g.deflection_id = d.id AND g.kind = 'greeting'
            AND g.state = 'delivered') THEN 1 ELSE 0 END AS delivered,
        CASE WHEN EXISTS (SELECT 1 FROM messages g WHERE g.deflection_id = d.id AND g.kind = 'greeting'
            AND g.state = 'delivered' AND g.read_at IS NOT NULL AND g.channel IN ({_TELL})) THEN 1 ELSE 0 END AS read,
        CASE WHEN EXISTS (
            SELECT 1 FROM messages g JOIN messages i ON i.number = g.number AND i.created_at > g.created_at
                AND i.brand = g.brand AND i.kind = 'inbound'
            WHERE g.deflection_id = d.id AND g.kind = 'greeting' AND g.state NOT IN ('failed', 'dead')
                AND UPPER(TRIM(i.body)) NOT IN :no_replies
                AND NOT EXISTS (
                    SELECT 1 FROM messages n WHERE n.number = g.number AND n.created_at > g.created_at
                        AND n.created_at <= i.created_at AND n.brand = g.brand
                        AND n.kind = 'greeting' AND n.state NOT IN ('failed', 'dead'))
            ) THEN 1 ELSE 0 END AS replied,
        CASE WHEN EXISTS (SELECT 1 FROM conversations v WHERE v.deflection_id = d.id AND v.opened_at IS NOT NULL)
            THEN 1 ELSE 0 END AS conversation,
        CASE WHEN EXISTS (SELECT 1 FROM conversations v WHERE v.deflection_id = d.id AND v.opened_at IS NOT NULL
            AND v.state = 'closed') THEN 1 ELSE 0 END AS closed,
        CASE
            WHEN EXISTS (SELECT 1 FROM messages g WHERE g.deflection_id = d.id AND g.kind = 'greeting'
                AND g.state NOT IN ('failed', 'dead')) THEN ''
            WHEN d.refused IS NOT NULL THEN d.refused
            ELSE COALESCE((
                SELECT CASE WHEN g.error_code IS NOT NULL THEN CAST(g.error_code AS VARCHAR(32))
                    WHEN g.state = 'dead' THEN 'given_up' ELSE 'failed' END
                FROM messages g WHERE g.deflection_id = d.id AND g.kind = 'greeting'
                ORDER BY g.created_at DESC, g.id DESC LIMIT 1), '')
        END AS reason
    FROM deflections d LEFT JOIN calls c ON c.call_sid = d.call_sid
    WHERE d.offered_at >= :begin AND d.offered_at < :until AND d.accepted_at IS NOT NULL
) AS one
GROUP BY hour, brand, branch, channel, dialled, reason
"""

# When the offers were, and the calls, that something since may have changed the counts of. A conversation that is
# opened again counts as closed until it is closed again. CROSS JOIN keeps SQLite from going through all texts instead.
CHANGED = f"""
SELECT d.offered_at AS at
    FROM (SELECT DISTINCT number, brand FROM messages WHERE updated_at >= :since AND ({CAME_LATE.text})) m
    CROSS JOIN messages g JOIN deflections d ON d.id = g.deflection_id
    WHERE g.number = m.number AND g.brand = m.brand AND g.kind = 'greeting'
UNION SELECT d.offered_at FROM messages g JOIN deflections d ON d.id = g.deflection_id
    WHERE g.read_at >= :since AND ({READ.text})
UNION SELECT d.offered_at FROM conversations v JOIN deflections d ON d.id = v.deflection_id
    WHERE v.opened_at >= :since
UNION SELECT d.offered_at FROM conversations v JOIN deflections d ON d.id = v.deflection_id
    WHERE v.closed_at >= :since
UNION SELECT c.started_at FROM deflections d JOIN calls c ON c.call_sid = d.call_sid WHERE d.offered_at >= :since
"""

EARLIEST = """
SELECT MIN(started_at) AS first FROM calls UNION ALL SELECT MIN(offered_at) FROM deflections
"""


def hour_of(statement: str, dialect: str) -> TextClause:
    """A statement of this file, in the words of one database."""
    words = _HOUR[dialect]
    for column in ("c.started_at", "d.offered_at"):
        statement = statement.replace(f"{{hour:{column}}}", words.format(column=column))
    ready = text(statement)
    if ":no_replies" in statement:
        ready = ready.bindparams(bindparam("no_replies", expanding=True))
    return ready
