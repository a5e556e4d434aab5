"""Opening hours: how they are written, when it is open, when it opens next, and how that is said."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow import opening_times
from ivr.flow.hours import LONGEST, LOOKS_AHEAD, NEVER, Hours
from ivr.flow.opening_times import NAMES, TimesFault
from ivr.flow.public_holidays import code

NEW_YORK = "America/New_York"
MINUTE = timedelta(minutes=1)


def hours(
    times: str, zone: str = NEW_YORK, holidays: tuple[str, ...] = (), dates: dict[str, str] | None = None
) -> Hours:
    own = {date.fromisoformat(day): opening_times.one_day(its).spans for day, its in (dates or {}).items()}
    return Hours(zone, opening_times.week(times).days, holidays, own)


def local(text: str, zone: str = NEW_YORK, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


# written, the days that are open, the spans of each
WRITTEN = [
    ("Mon-Fri 08:00-20:00", "Mon Tue Wed Thu Fri", "08:00-20:00"),
    ("mon-fri 8:00-20:00;", "Mon Tue Wed Thu Fri", "08:00-20:00"),
    ("Monday–Wednesday: 08:00 – 20:00", "Mon Tue Wed", "08:00-20:00"),
    ("Sat-Mon 08:00-12:00, 13:00-17:00", "Mon Sat Sun", "08:00-12:00 13:00-17:00"),
    ("Tue 13:00-17:00; Tue 08:00-12:00", "Tue", "08:00-12:00 13:00-17:00"),
    ("Mon, Wed, Fri-Sat 00:00-24:00", "Mon Wed Fri Sat", "00:00-24:00"),
    ("Fri 20:00-02:00", "Fri", "20:00-26:00"),
    ("daily 22:00-06:00", "Mon Tue Wed Thu Fri Sat Sun", "22:00-30:00"),
    ("24/7", "Mon Tue Wed Thu Fri Sat Sun", "00:00-24:00"),
]


@pytest.mark.parametrize(("text", "days", "spans"), WRITTEN, ids=[case[0] for case in WRITTEN])
def test_what_is_written(text: str, days: str, spans: str) -> None:
    read = opening_times.week(text).days
    assert [NAMES[day] for day, its in enumerate(read) if its] == days.split()
    for its in filter(None, read):
        assert [f"{b // 60:02}:{b % 60:02}-{e // 60:02}:{e % 60:02}" for b, e in its] == spans.split()


WRONG = [
    ("Mon-Fry 08:00-20:00", "'Fry' is no day; did you mean Fri?"),
    ("dayly 08:00-20:00", "'dayly' is no day; did you mean daily?"),
    ("X 08:00-20:00", "'X' is no day; allowed: Mon, Tue, Wed, Thu, Fri, Sat, Sun and daily"),
    ("Mon 08:00-25:00", "25:00 is no time; write 00:00 to 24:00"),
    ("Mon 08:60-09:00", "08:60 is no time"),
    ("Mon 8-20", "'8-20' is no time of a day; write one like 08:00-20:00"),
    ("Mon", "'Mon' lacks its times; write both"),
    ("08:00-20:00", "'08:00-20:00' lacks its days; write both"),
    ("Mon 08:00-20:00 Sat 09:00-13:00", "is no time of a day"),
    ("Mon 08:00-08:00", "08:00-08:00 ends when it begins; write 00:00-24:00 for a whole day"),
    ("Mon 20:00-19:00", "20:00-19:00 ends before it begins, and is too long for a night"),
    ("Mon 08:00-12:00, 11:00-13:00", "Mon 08:00-12:00 overlaps with what begins at 11:00"),
    ("Fri 20:00-02:00; Sat 01:00-05:00", "Fri 20:00-02:00 overlaps with what begins at 01:00"),
    ("Sun 20:00-02:00; Mon 01:00-05:00", "Sun 20:00-02:00 overlaps with what begins at 01:00"),
    ("Mon-Sat 08:00-20:00; Sat 09:00-13:00", "Sat 08:00-20:00 overlaps"),
    ("; ;", "empty; write times"),
    ("Mon 08:00-20:00;" * 80, "1,280 characters; at most 1,000"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[case[0][:40] for case in WRONG])
def test_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(TimesFault) as wrong:
        opening_times.week(text)
    assert said in str(wrong.value)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="MonFri daly24/7:;,-–01289", max_size=60) | st.text(max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    for read in (opening_times.week, opening_times.one_day):
        try:
            read(text)
        except TimesFault as wrong:
            assert str(wrong)


WEEK = "Mon-Fri 08:00-20:00; Sat 09:00-13:00"
US = (WEEK, NEW_YORK, ("US",))
DATES = (WEEK, NEW_YORK, ("US",), {"2026-12-24": "08:00-12:00", "2026-12-25": "10:00-11:00", "2026-12-26": "closed"})
NIGHT = ("Fri 20:00-02:00",)

# what it is, the hours, the local time, whether it is open, the next opening, how it is said
MOMENTS = [
    ("a working day", (WEEK,), "2026-03-02 08:00", True, "2026-03-03 08:00", "tomorrow at 8 AM"),
    ("a minute before", (WEEK,), "2026-03-02 07:59", False, "2026-03-02 08:00", "at 8 AM"),
    ("the last minute", (WEEK,), "2026-03-02 19:59", True, "2026-03-03 08:00", "tomorrow at 8 AM"),
    ("closing time", (WEEK,), "2026-03-02 20:00", False, "2026-03-03 08:00", "tomorrow at 8 AM"),
    ("after midnight", (WEEK,), "2026-03-03 00:30", False, "2026-03-03 08:00", "at 8 AM"),
    ("Saturday afternoon", (WEEK,), "2026-03-07 14:00", False, "2026-03-09 08:00", "on Monday at 8 AM"),
    ("half past", ("Mon 08:30-09:00",), "2026-03-04 14:00", False, "2026-03-09 08:30", "on Monday at 8:30 AM"),
    ("in six days", ("Mon 08:30-09:00",), "2026-03-03 14:00", False, "2026-03-09 08:30", "on Monday at 8:30 AM"),
    ("in seven days", ("Mon 08:30-09:00",), "2026-03-02 14:00", False, "2026-03-09 08:30", "on March 9 at 8:30 AM"),
    ("at noon", ("daily 12:00-13:00",), "2026-03-02 14:00", False, "2026-03-03 12:00", "tomorrow at noon"),
    ("at midnight", ("Tue 00:00-24:00",), "2026-03-02 14:00", False, "2026-03-03 00:00", "at midnight"),
    ("another midnight", ("Tue 00:00-24:00",), "2026-03-05 14:00", False, "2026-03-10 00:00", "on Tuesday at 12 AM"),
    ("always", ("24/7",), "2026-03-02 14:00", True, None, NEVER),
    ("the lunch break", ("daily 08:00-12:00, 13:30-17:00",), "2026-03-02 12:00", False, "2026-03-02 13:30", "at 1:30 PM"),
    ("one span after another", ("daily 08:00-12:00, 12:00-17:00",), "2026-03-02 09:00", True, "2026-03-03 08:00", "tomorrow at 8 AM"),
    ("over midnight, before", NIGHT, "2026-03-06 23:59", True, "2026-03-13 20:00", "on March 13 at 8 PM"),
    ("over midnight, after", NIGHT, "2026-03-07 01:59", True, "2026-03-13 20:00", "on Friday at 8 PM"),
    ("over midnight, over", NIGHT, "2026-03-07 02:00", False, "2026-03-13 20:00", "on Friday at 8 PM"),
    ("a night that goes over into a holiday", ("Thu 20:00-02:00", NEW_YORK, ("US",)), "2026-01-01 01:00", False, "2026-01-08 20:00", "on January 8 at 8 PM"),
    ("over the year's end", ("Thu 20:00-02:00",), "2027-01-01 01:00", True, "2027-01-07 20:00", "on Thursday at 8 PM"),
    ("a holiday", US, "2026-12-25 10:00", False, "2026-12-26 09:00", "tomorrow at 9 AM"),
    ("a year's end with a holiday", US, "2026-12-31 21:00", False, "2027-01-02 09:00", "on Saturday at 9 AM"),
    ("an observed holiday", US, "2026-07-03 10:00", False, "2026-07-06 08:00", "on Monday at 8 AM"),
    ("a date goes before a holiday", DATES, "2026-12-25 10:00", True, "2026-12-28 08:00", "on Monday at 8 AM"),
    ("a date's own times", DATES, "2026-12-24 12:00", False, "2026-12-25 10:00", "tomorrow at 10 AM"),
    ("a closed date", DATES, "2026-12-26 10:00", False, "2026-12-28 08:00", "on Monday at 8 AM"),
    ("far ahead", ("Mon 08:00-09:00", NEW_YORK, (), dict.fromkeys(("2026-03-09", "2026-03-16"), "closed")), "2026-03-02 09:00", False, "2026-03-23 08:00", "on March 23 at 8 AM"),
    # On 2026-03-08 clocks skip from 02:00 to 03:00.
    ("begins in a gap, before", ("Sun 02:30-05:00",), "2026-03-08 01:59", False, "2026-03-08 03:00", "at 3 AM"),
    ("begins in a gap", ("Sun 02:30-05:00",), "2026-03-08 03:00", True, "2026-03-15 02:30", "on March 15 at 2:30 AM"),
    ("ends in a gap, before", ("Sun 01:00-02:30",), "2026-03-08 01:59", True, "2026-03-15 01:00", "on March 15 at 1 AM"),
    ("ends in a gap", ("Sun 01:00-02:30",), "2026-03-08 03:00", False, "2026-03-15 01:00", "on March 15 at 1 AM"),
    ("all of it in a gap", ("Sun 02:10-02:50",), "2026-03-08 01:00", False, "2026-03-15 02:10", "on March 15 at 2:10 AM"),
    # On 2026-11-01 they show 01:00 to 02:00 twice.
    ("ends in a fold, the first time", ("Sun 00:00-01:30",), "2026-11-01 01:29", True, "2026-11-08 00:00", "on November 8 at 12 AM"),
    ("ends in a fold", ("Sun 00:00-01:30",), "2026-11-01 01:30", False, "2026-11-08 00:00", "on November 8 at 12 AM"),
    ("begins in a fold", ("Sun 01:30-05:00",), "2026-11-01 01:30", True, "2026-11-08 01:30", "on November 8 at 1:30 AM"),
    ("before the day that is longer", ("Sun 08:00-09:00",), "2026-10-31 20:00", False, "2026-11-01 08:00", "tomorrow at 8 AM"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("its", "at", "is_open", "opens", "said"), [case[1:] for case in MOMENTS], ids=[case[0] for case in MOMENTS]
)
def test_a_moment(its: tuple[str, ...], at: str, is_open: bool, opens: str | None, said: str) -> None:
    these, now = hours(*its), local(at)  # type: ignore[arg-type]
    assert these.is_open(now) is is_open
    assert these.opens(now) == (local(opens) if opens else None)
    assert these.spoken(these.opens(now), now) == said


def test_the_second_time_of_a_fold() -> None:
    second = local("2026-11-01 01:40", fold=1)
    assert hours("Sun 01:30-05:00").is_open(second), "it began the first time"
    assert hours("Sun 01:30-05:00").is_open(local("2026-11-01 01:10", fold=1))
    assert not hours("Sun 00:00-01:30").is_open(local("2026-11-01 01:10", fold=1)), "it ended the first time"


def test_two_zones_at_one_moment() -> None:
    now = local("2026-03-02 19:00", "Europe/Berlin")
    assert not hours("daily 08:00-18:00", "Europe/Berlin").is_open(now)
    assert hours("daily 08:00-18:00").is_open(now)


def test_a_day_that_a_zone_left_out() -> None:
    apia = hours("daily 08:00-12:00", "Pacific/Apia")  # no 30 December in 2011
    assert apia.opens(local("2011-12-29 13:00", "Pacific/Apia")) == local("2011-12-31 08:00", "Pacific/Apia")


def test_an_opening_that_has_passed_meanwhile_is_still_named_by_its_time() -> None:
    these, now = hours(WEEK), local("2026-03-02 08:01")
    assert these.spoken(local("2026-03-02 08:00"), now) == "at 8 AM"
    assert these.spoken(local("2026-03-01 23:58"), now) == "at 11:58 PM"


ZONES = ["UTC", NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Kathmandu"]
spans = st.tuples(st.integers(0, 1439), st.integers(1, 720)).map(lambda its: (its[0], its[0] + its[1]))


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    """Whatever a file can say: spans that keep apart, holidays, dates of their own."""
    week = []
    for _ in NAMES:
        day: list[tuple[int, int]] = []
        for begin, end in sorted(draw(st.lists(spans, max_size=3))):
            if not day or begin >= day[-1][1]:
                day.append((begin, end))
        week.append(tuple(day))
    days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
    dates = draw(st.dictionaries(days, st.just(()) | spans.map(lambda its: (its,)), max_size=4))
    return Hours(
        draw(st.sampled_from(ZONES)), tuple(week), draw(st.sampled_from([(), ("US",), ("US-CA", "DE-BY")])), dates
    )


moments = st.datetimes(datetime(2025, 12, 20), datetime(2027, 4, 1)).map(lambda at: at.replace(tzinfo=UTC))
# Around the changes of the clocks, which random moments seldom meet.
changes = st.tuples(
    st.sampled_from(
        ["2026-03-08T07:00", "2026-11-01T06:00", "2026-03-29T01:00", "2026-10-25T01:00", "2026-04-04T15:00"]
    ),
    st.integers(-1500, 1500),
).map(lambda its: datetime.fromisoformat(its[0]).replace(tzinfo=UTC) + its[1] * MINUTE)


@settings(max_examples=400, deadline=None)
@given(some_hours(), moments | changes)
def test_the_next_opening(these: Hours, now: datetime) -> None:
    opens = these.opens(now)
    if opens is None:
        assert these.is_open(now) or not any(these.is_open(now + day * timedelta(hours=7)) for day in range(1200))
        return
    assert now < opens <= now + timedelta(LOOKS_AHEAD + 1)
    assert these.is_open(opens)
    assert not these.is_open(opens - MINUTE)
    between = opens - now
    closed = [these.is_open(now + between * part / 40) for part in range(40)]
    assert closed == sorted(closed, reverse=True), "once closed it stays closed until it opens"
    assert len(these.spoken(opens, now)) <= len(LONGEST)


CODES = [
    ("US", "US"),
    ("us-ca", "US-CA"),
    ("DE-by", "DE-BY"),
    ("GB-SCT", "GB-SCT"),
    ("XX", None),
    ("US-XX", None),
    ("US-", None),
    ("USA", None),
]


@pytest.mark.parametrize(("text", "known"), CODES)
def test_whose_holidays_are_known(text: str, known: str | None) -> None:
    assert code(text) == known
