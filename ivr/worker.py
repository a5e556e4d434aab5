"""The worker: what happens later. Takes what is due, sends it, asks about what is unclear, does work by the clock."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from ivr import log
from ivr.relay import expectations
from ivr.relay.consumer import still_wanted
from ivr.relay.wishes import STOP_WORDS
from ivr.runtime import Runtime
from ivr.store import (
    api_events,
    bell,
    consumers,
    conversations,
    counts,
    identities,
    invitations,
    known,
    line_types,
    outbox,
    pushes,
    schedule,
)
from ivr.store import expectations as planned
from ivr.store.counts import Counting
from ivr.store.folding import keep_folded
from ivr.store.outbox import Text

THREADS = 16
MOST_EXPECTATIONS = 25  # in a round, a millisecond each: callers wait for the lock meanwhile
SLEEPS = 1.0  # seconds at most; the bell wakes it before
STOPS_WITHIN = 22.0  # an attempt ends within 20

LOOKS_AT_LEASES_EVERY = timedelta(seconds=0.5)  # not in each of a hundred rounds a second
LOOKS_AT_THE_CLOCK_EVERY = timedelta(minutes=1)
EXPECTATIONS_KEPT = timedelta(days=30)  # of conversations that are closed
CLEAN_UP_EVERY = timedelta(days=1)
COUNT_EVERY = timedelta(seconds=50)  # less than the looks at the clock are apart
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Look:
    """What there is to do now."""

    texts: bool = True
    overdue: bool = True
    promises: bool = True


@dataclass
class _Taken:
    """What one round has to do when its transaction is committed."""

    expired: int = 0
    dead: list[str] = field(default_factory=list)
    broken: list[expectations.Broken] = field(default_factory=list)
    due: list[Text] = field(default_factory=list)
    unclear: list[Text] = field(default_factory=list)
    more: bool = False  # there may be more to take right away
    counting: bool = False  # it is this process's turn to count

    def tell(self) -> None:
        for message_id in self.dead:
            log.error("text_dead", message=message_id, what_to_do=f"python -m ivr worker --requeue {message_id}")
        for each in self.broken:
            log.warning(each.event, conversation=each.conversation, brand=each.brand, promised_at=each.promised_at)
        if self.expired:
            log.warning("leases_ran_out", count=self.expired)


@dataclass
class Worker:
    """One a process. `stop` ends it: what is under way is finished, what is not begun is left to others."""

    runtime: Runtime
    stop: threading.Event = field(default_factory=threading.Event)
    _under_way: set[Future[None]] = field(default_factory=set)  # each takes itself out, in its own thread
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _look_at_the_clock: datetime = LONG_AGO
    _looked_at_leases: datetime = LONG_AGO

    def run(self) -> None:
        """Work until stopped. Nothing that fails ends it."""
        database = self.runtime.database
        database.work_behind()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="worker", initializer=database.work_behind) as threads:
            while not self.stop.is_set():
                try:
                    busy = self.round(threads.submit)
                except Exception as error:  # the database is away, or a fault of ours: the next round is a new chance
                    log.error("worker_round_failed", error)
                    busy = False
                    self.stop.wait(SLEEPS)
                if not busy:
                    self.runtime.bell.wait(SLEEPS)
            wait(self._under_way.copy(), timeout=STOPS_WITHIN)

    def round(self, submit: Callable[..., Future[None]]) -> bool:
        """One look at the outbox and at the clock. Whether there may be more to take right away."""
        here, now = self.runtime, self.runtime.now()
        # The counting is begun beside a whole round of attempts, and a LIMIT below zero has none on SQLite.
        free = max(0, THREADS - len(self._under_way))
        look = self._looked(now, free)
        if not (look.texts or look.overdue or look.promises):
            return False
        with here.database.writes() as tx:
            if self.stop.is_set():
                return False
            now = here.now()  # it may have waited for others
            taken = self._take(tx, now, free, look)
            self._by_the_clock(tx, now, taken)
        taken.tell()
        for text in taken.due:
            self._begin(submit, partial(here.delivery.attempt, text))
        for text in taken.unclear:
            self._begin(submit, partial(here.delivery.settle, text))
        if taken.counting:
            self._begin(submit, self._count)
        return taken.more

    def _looked(self, now: datetime, free: int) -> _Look:
        """Asked without a lock, as most rounds have little to do: callers wait for one meanwhile."""
        if now >= self._look_at_the_clock:
            return _Look()
        leases = abs(now - self._looked_at_leases) >= LOOKS_AT_LEASES_EVERY
        if leases:
            self._looked_at_leases = now
        with self.runtime.database.reads() as tx:
            return _Look(
                texts=free > 0 and outbox.has_due(tx, now),
                overdue=leases and outbox.has_overdue(tx, now),
                promises=planned.have_come(tx, now),
            )

    def _take(self, tx: Connection, now: datetime, free: int, look: _Look) -> "_Taken":
        """What is to be done now, and at most as many attempts as are `free`."""
        here, taken = self.runtime, _Taken()
        if look.overdue:
            self._take_overdue(tx, now, free, taken)
        if look.promises:
            come, taken.broken = expectations.come(tx, here.listener.flows, here.new_id, now, MOST_EXPECTATIONS)
            taken.more = taken.more or come == MOST_EXPECTATIONS
        if look.texts and free:
            claimed = outbox.claim(tx, now, free - len(taken.unclear))
            taken.due = still_wanted(tx, claimed, here.listener.flows, here.new_id, now)
            taken.more = taken.more or len(claimed) + len(taken.unclear) == free
        return taken

    def _take_overdue(self, tx: Connection, now: datetime, free: int, taken: "_Taken") -> None:
        taken.expired, taken.dead = outbox.expire(tx, now), outbox.give_up(tx, now)
        taken.unclear = outbox.claim_unclear(tx, now, free)
        taken.more = len(taken.unclear) == free > 0
        for message_id in taken.dead:
            api_events.text_changed(tx, message_id, "expired", now)
        if taken.dead:
            conversations.close_abandoned(tx, now)

    def _by_the_clock(self, tx: Connection, now: datetime, taken: "_Taken") -> None:
        if now < self._look_at_the_clock:
            return
        self._look_at_the_clock = now + LOOKS_AT_THE_CLOCK_EVERY
        conversations.forget_events(tx, now)
        invitations.forget_answers(tx, now)
        identities.forget_old(tx, now)
        if schedule.claim(tx, "clean-up", CLEAN_UP_EVERY, now):
            log.event("cleaned_up", numbers_forgotten=known.forget_old_numbers(tx, now))
            planned.forget(tx, now - EXPECTATIONS_KEPT)
            consumers.forget_gone(tx, now)
            line_types.forget_old(tx, now)
            pushes.forget_old(tx, now)
        taken.counting = not self._counting.locked() and schedule.claim(tx, "count", COUNT_EVERY, now)

    def _count(self) -> None:
        """In a thread of its own, and one at a time: the first count of a large database takes minutes."""
        here = self.runtime
        languages = {brand: each.flow.language for brand, each in here.brands.items()}
        with self._counting:
            counts.roll_up(here.database, Counting(languages, STOP_WORDS), here.now(), stopped=self.stop.is_set)

    def _begin(self, submit: Callable[..., Future[None]], work: Callable[[], object]) -> None:
        attempt = submit(work)
        self._under_way.add(attempt)
        # A text behind this one may be due now, or a thread is free for another.
        attempt.add_done_callback(self._done)

    def _done(self, attempt: Future[None]) -> None:
        self._under_way.discard(attempt)
        failure = attempt.exception()
        if failure:
            log.error("worker_attempt_failed", failure)
        self.runtime.bell.ring()

    def end(self) -> None:
        self.stop.set()
        self.runtime.bell.ring()

    def run_here(self) -> None:
        """Run in this thread, the bell's ear and the folding of SQLite's log in others, until `end`."""
        ear = threading.Thread(target=self._listen, name="bell", daemon=True)
        folding = (self.runtime.database, self.stop)
        threading.Thread(target=keep_folded, args=folding, name="folding", daemon=True).start()
        ear.start()
        self.run()
        ear.join(2 * bell.HEARS_STOP_WITHIN)

    def _listen(self) -> None:
        if self.runtime.listens:
            bell.listen(self.runtime.settings.database_url, self.runtime.bell, self.stop, _deaf)


def start(runtime: Runtime) -> Callable[[], None]:
    """Run a worker beside this process's other work; what ends it, and returns when it has ended."""
    worker = Worker(runtime)
    thread = threading.Thread(target=worker.run_here, name="worker", daemon=True)
    thread.start()

    def stop() -> None:
        worker.end()
        thread.join(STOPS_WITHIN + 1)

    return stop


def _deaf(error: Exception) -> None:
    log.warning("not_listening", error=type(error).__name__, meanwhile="the worker looks once a second")
