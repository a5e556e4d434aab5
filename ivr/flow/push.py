"""What a brand's file says of its app: how it is pushed to, whom it reaches, where a push leads. Pure."""

from dataclasses import dataclass

ACTIVE_WITHIN = 30 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Fcm:
    """Google's FCM HTTP v1, which reaches iOS through APNs. `key_env`: the variable with the service account's key."""

    key_env: str


@dataclass(frozen=True, slots=True)
class PushService:
    """The brand's own push service. `secret_env`: the variable with the secret of our signatures."""

    url: str
    secret_env: str
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Push:
    by: Fcm | PushService
    deep_link: str  # where a tap leads, or ""
    title: str
    active_within: int  # seconds since the app was used last


@dataclass(frozen=True, slots=True)
class Consumers:
    """The brand's own database of who uses its app. `url_env`: the variable with its URL."""

    sql: str  # one SELECT that binds :number
    url_env: str
