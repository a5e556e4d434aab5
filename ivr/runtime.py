"""What a running process holds, built once. Nothing here opens a socket or starts a thread before it is used."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Generic, TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from twilio.request_validator import RequestValidator

from ivr import config, log, secret_key
from ivr.clients.files import FileFetcher
from ivr.clients.liveperson import Connector, LivePerson
from ivr.clients.lookup import Lookup
from ivr.clients.push_service import PushService
from ivr.clients.twilio import Account, Twilio
from ivr.clients.webhook import WebhookDesk as WebhookClient
from ivr.config import Settings
from ivr.delivery.apps import BadVariable, apps
from ivr.delivery.at_liveperson import AtLivePerson
from ivr.delivery.at_webhook import AtWebhook
from ivr.delivery.attempt import Delivery
from ivr.delivery.beforehand import Beforehand
from ivr.delivery.desks import Desks
from ivr.delivery.files import Files
from ivr.delivery.hooks import Hooks
from ivr.delivery.ledger import Ledger, Outcome
from ivr.delivery.pushes import Pushes
from ivr.delivery.texts import Texts
from ivr.file_links import FileLinks
from ivr.flow import aims, twiml
from ivr.flow.load import load_directory
from ivr.flow.model import Flow, WebhookDesk
from ivr.limits import Limits, Tries
from ivr.relay.agent import Listener
from ivr.store import schema
from ivr.store.bell import Bell
from ivr.store.calls import Journal
from ivr.store.database import Database, opened, opened_once

T = TypeVar("T")


class Attempts(Generic[T]):
    """Attempts that run beside the webhooks, as many at once as there are slots."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._executor = ThreadPoolExecutor(slots, thread_name_prefix="attempt")
        self._lock = Lock()
        self._under_way = 0

    def reserve(self) -> bool:
        """Take a slot, to be given back by `release` or by the end of what `begin` runs. False when none is free."""
        with self._lock:
            free = self._under_way < self._slots
            self._under_way += free
        return free

    def release(self) -> None:
        with self._lock:
            self._under_way -= 1

    def begin(self, attempt: Callable[[], T]) -> Future[T]:
        """Run `attempt` in the slot that was reserved for it."""
        future = self._executor.submit(attempt)
        future.add_done_callback(lambda _future: self.release())
        return future

    def finish(self) -> None:
        self._executor.shutdown()


@dataclass(frozen=True, slots=True)
class Brand:
    """A flow and the documents of it that are ready."""

    flow: Flow
    documents: Mapping[str, bytes]
    shares: Mapping[str, float]  # of its branches with a control group


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    brands: Mapping[str, Brand]
    numbers: Mapping[str, tuple[str, str]]  # dialled E.164 -> brand, the place where it enters
    senders: Mapping[str, str]  # our sending number or messaging service -> brand
    shared: Set[str]  # senders of several brands
    database: Database
    listens: bool  # whether NOTIFY may wake this process
    journal: Journal
    delivery: Delivery
    beforehand: Beforehand
    listener: Listener
    desk_secrets: Mapping[str, str]  # of brands with a desk of their own
    files: Files
    attempts: Attempts[Outcome]
    bell: Bell
    limits: Limits  # of the API's keys
    tries: Tries  # of the dashboard's passwords
    validator: RequestValidator | None  # none without TWILIO_AUTH_TOKEN: every webhook is refused
    now: Callable[[], datetime]
    new_id: Callable[[], str]


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return uuid.uuid4().hex


class CannotStart(Exception):
    """The server must not start. The message is for the operator, a clear line a reason."""


def prepare(environ: Mapping[str, str], now: Callable[[], datetime] = utc_now) -> Runtime:
    """The runtime of a server process. Raises CannotStart on a wrong setting, a flow with an error, an old schema."""
    try:
        settings = config.read(environ)
    except config.SettingsError as error:
        raise CannotStart(str(error)) from None
    loaded = load_directory(settings.flows_dir)
    if loaded.errors:
        raise CannotStart("\n".join(str(finding) for finding in loaded.errors))
    log.start(settings.log_level)
    _current_schema(settings)
    if not settings.secret_key:
        settings = replace(settings, secret_key=_kept_secret_key(settings))
    try:
        return build(settings, loaded.flows, _desk_secrets(environ, loaded.flows), now, named=environ)
    except BadVariable as error:
        raise CannotStart(str(error)) from None


def _desk_secrets(environ: Mapping[str, str], flows: Mapping[str, Flow]) -> Mapping[str, str]:
    """The secret of each brand's own desk, from the variable that its file names."""
    named = {flow.id: flow.desk.secret_env for flow in flows.values() if isinstance(flow.desk, WebhookDesk)}
    for brand, name in named.items():
        if not environ.get(name, "").strip():
            raise CannotStart(
                f"{name} is not set, which {brand}'s desk is signed with; set it to the secret you share."
            )
    return {brand: environ[name].strip() for brand, name in named.items()}


def _current_schema(settings: Settings) -> None:
    """SQLite is brought up here; PostgreSQL by the release alone, since two releases share it for a while.

    A PostgreSQL that is away keeps nobody from starting: a process that is replaced meanwhile still leads its callers
    to a person, and recovers with the others. The release has seen to the schema before.
    """
    try:
        with opened_once(settings.database_url) as database:
            if settings.sqlite:
                schema.upgrade(database)
            with database.reads() as tx:
                older = schema.state(tx) == "older"
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, OperationalError) and not settings.sqlite:
            log.error("database_away", error, what_to_do="if it does not come back by itself, check DATABASE_URL")
            return
        raise CannotStart(f"The database cannot be opened ({type(error).__name__}); check DATABASE_URL.") from None
    if older:
        raise CannotStart("The database's schema is older than this release; run: python -m ivr db upgrade")


def _kept_secret_key(settings: Settings) -> str:
    try:
        return secret_key.kept_beside(Path(make_url(settings.database_url).database or ""))
    except secret_key.NoSecretKey as error:
        raise CannotStart(str(error)) from None


def build(
    settings: Settings,
    flows: Mapping[str, Flow],
    desk_secrets: Mapping[str, str] = MappingProxyType({}),
    now: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = new_id,
    chance: random.Random | None = None,
    named: Mapping[str, str] = MappingProxyType({}),
) -> Runtime:
    """`named`: the variables that brands' files name for their apps. Raises BadVariable."""
    # On PostgreSQL one connection is the bell's, so that the bound holds with it.
    listens = not settings.sqlite and settings.database_connections > 1
    database = opened(settings.database_url, settings.database_connections - listens)
    links, liveperson = FileLinks(settings.public_url, settings.secret_key), _liveperson(settings, new_id, now)
    listener = Listener(flows, links, new_id, now)
    ledger = Ledger(database, now, chance or random.Random())
    delivery, beforehand = _outward(settings, ledger, listener, liveperson, desk_secrets, named)
    brands_of = Counter(address for flow in flows.values() for address in set(flow.sender.addresses))
    return Runtime(
        settings=settings,
        brands={flow.id: Brand(flow, twiml.ready_made(flow), aims.sharing(flow.branches)) for flow in flows.values()},
        numbers={number: (flow.id, place) for flow in flows.values() for number, place in flow.numbers.items()},
        senders={address: flow.id for flow in flows.values() for address in flow.sender.addresses},
        shared={address for address, brands in brands_of.items() if brands > 1},
        database=database,
        listens=listens,
        journal=Journal.of(database),
        delivery=delivery,
        beforehand=beforehand,
        listener=listener,
        desk_secrets=desk_secrets,
        files=_files(settings, links, database, liveperson),
        attempts=Attempts(settings.web_threads),
        bell=Bell(),
        limits=Limits(now),
        tries=Tries(now),
        validator=RequestValidator(settings.twilio_auth_token) if settings.twilio_auth_token else None,
        now=now,
        new_id=new_id,
    )


def _outward(
    settings: Settings,
    ledger: Ledger,
    listener: Listener,
    liveperson: LivePerson | None,
    desk_secrets: Mapping[str, str],
    named: Mapping[str, str],
) -> tuple[Delivery, Beforehand]:
    """Whoever sends, and whoever asks before."""
    flows, new_id, now = listener.flows, listener.new_id, listener.now
    at_liveperson = AtLivePerson(ledger, listener, liveperson, settings.secret_key) if liveperson else None
    webhooks, twilio = WebhookClient(settings.web_threads, now), _twilio(settings)
    hooks = Hooks(ledger, webhooks, {digest[:16]: digest for digest in settings.api_keys})
    of_apps = apps(flows, named, settings.web_threads, settings.fcm_api_url)
    pushes = Pushes(ledger, flows, of_apps.google, PushService(webhooks), of_apps.secrets, new_id)
    texts = Texts(ledger, twilio, f"{settings.public_url}/messages/status", listener.files, new_id, flows)
    desks = Desks(ledger, listener, at_liveperson, AtWebhook(ledger, listener, webhooks, desk_secrets))
    beforehand = Beforehand(ledger.database, of_apps.directories, Lookup(twilio), now)
    return Delivery(texts, desks, hooks, pushes), beforehand


def _files(settings: Settings, links: FileLinks, database: Database, liveperson: LivePerson | None) -> Files:
    key, secret = settings.twilio_api_key, settings.twilio_api_secret
    auth = (key or settings.twilio_account_sid, secret or settings.twilio_auth_token)
    return Files(links, database, FileFetcher(settings.web_threads), liveperson, settings.twilio_api_url, auth)


def _twilio(settings: Settings) -> Twilio:
    account = Account(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        settings.twilio_api_key,
        settings.twilio_api_secret,
        settings.twilio_api_url,
    )
    return Twilio(account, connections=settings.web_threads)


def _liveperson(settings: Settings, new_id: Callable[[], str], now: Callable[[], datetime]) -> LivePerson | None:
    """The connector, where its settings are set."""
    if not settings.liveperson_client_id:
        return None
    connector = Connector(
        settings.liveperson_account,
        settings.liveperson_client_id,
        settings.liveperson_client_secret,
        settings.liveperson_api_url,
    )
    return LivePerson(connector, settings.web_threads, new_id, now)
