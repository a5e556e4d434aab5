"""What each brand's file names of its app in environment variables: keys, secrets, a database; read once, at start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.clients.directory import BadDirectory, BrandDirectory
from ivr.clients.fcm import BadKey, Fcm
from ivr.flow import push
from ivr.flow.model import Flow


class BadVariable(Exception):
    """A variable that a brand's file names is missing or wrong. The message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Apps:
    """By brand."""

    google: Mapping[str, Fcm] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the brands' own push services
    directories: Mapping[str, BrandDirectory] = field(default_factory=dict)


def apps(flows: Mapping[str, Flow], named: Mapping[str, str], connections: int, fcm_url: str) -> Apps:
    """`named`: the environment. Raises BadVariable."""
    google, secrets, directories = {}, {}, {}
    for brand, flow in flows.items():
        if flow.push and isinstance(flow.push.by, push.Fcm):
            name = flow.push.by.key_env
            try:
                google[brand] = Fcm(_value(named, name, brand, "push: the service account's key"), connections, fcm_url)
            except BadKey as error:
                raise BadVariable(f"{name}, {brand}'s push, {error}.") from None
        elif flow.push and isinstance(flow.push.by, push.PushService):
            secrets[brand] = _value(named, flow.push.by.secret_env, brand, "push: the secret you share")
        if flow.consumers:
            name = flow.consumers.url_env
            try:
                url = _value(named, name, brand, "consumers: the database's URL")
                directories[brand] = BrandDirectory(url, flow.consumers.sql)
            except BadDirectory as error:
                raise BadVariable(f"{name}, {brand}'s consumers, {error}.") from None
    return Apps(google, secrets, directories)


def variables(flows: Mapping[str, Flow]) -> Iterator[str]:
    """The variables that `apps` reads."""
    for flow in flows.values():
        if flow.push:
            yield flow.push.by.key_env if isinstance(flow.push.by, push.Fcm) else flow.push.by.secret_env
        if flow.consumers:
            yield flow.consumers.url_env


def _value(named: Mapping[str, str], name: str, brand: str, what: str) -> str:
    value = named.get(name, "").strip()
    if not value:
        raise BadVariable(f"{name} is not set, which {brand}'s file names for {what}; set it.")
    return value
