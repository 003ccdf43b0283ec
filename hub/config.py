"""The hub's settings, read once from the environment; wrong values are refused with the variable's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.errors import NotReady

SECRET_FILE = "secret_key"  # noqa: S105  (a file's name)
TLS_FOLDER = "tls"
SHORTEST_SECRET = 32
KNOWN_SECRETS = frozenset({"changeme", "change-me", "dev", "secret", "secret_key", "default"})


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the hub is told from outside."""

    data_dir: Path
    database_url: str
    url: str
    """Where kiosks reach this hub; it goes into invitations."""
    time_zone: ZoneInfo
    language: str | None
    """What the pages speak unless somebody chooses; None: what the browser asks for."""
    secret: str | None
    """`HUB_SECRET_KEY`, else what `hub init` made in the data folder, else None."""

    @property
    def tls_folder(self) -> Path:
        """Where `hub tls make` puts this hub's certificates."""
        return self.data_dir / TLS_FOLDER

    @property
    def imports_folder(self) -> Path:
        """Where uploaded files are, and what was found in them."""
        return self.data_dir / "imports"


def read(environ: Mapping[str, str]) -> Config:
    """The settings in `environ` (`HUB_*`). Raises `NotReady` naming the variable that is wrong."""
    data_dir = Path(environ.get("HUB_DATA_DIR") or Path.home() / ".local" / "share" / "kiosk-hub").expanduser()
    return Config(
        data_dir=data_dir,
        database_url=environ.get("HUB_DATABASE_URL") or f"sqlite:///{data_dir / 'hub.sqlite'}",
        url=_url(environ.get("HUB_URL") or _own_url(data_dir)),
        time_zone=_time_zone(environ.get("HUB_TIMEZONE")),
        language=_one_of("HUB_LANGUAGE", environ.get("HUB_LANGUAGE"), ("en", "fr")),
        secret=environ.get("HUB_SECRET_KEY") or _secret_file(data_dir),
    )


def checked_secret(config: Config) -> str:
    """The key that signs sign-ins. Raises `NotReady` when it is missing, well known or short."""
    secret = config.secret
    if not secret:
        raise NotReady(
            f"There is no secret key: {config.data_dir / SECRET_FILE} is missing and HUB_SECRET_KEY is not set. "
            "Run `hub init`, or set HUB_SECRET_KEY to 32 or more random characters."
        )
    if secret.strip().lower() in KNOWN_SECRETS or len(secret) < SHORTEST_SECRET or len(set(secret)) < 8:
        raise NotReady(
            "The secret key is a well-known or short one. Set HUB_SECRET_KEY to 32 or more random characters, "
            "or unset it to use the one `hub init` made."
        )
    return secret


def _secret_file(data_dir: Path) -> str | None:
    try:
        return (data_dir / SECRET_FILE).read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _own_url(data_dir: Path) -> str:
    return f"{'https' if (data_dir / TLS_FOLDER).is_dir() else 'http'}://127.0.0.1:8000"


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotReady(f"HUB_URL is not the address of a web site: {text!r}. Example: https://hub.example.edu")
    return text.rstrip("/")


def _time_zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NotReady(f"HUB_TIMEZONE is not a time zone: {name!r}. Example: Europe/Paris") from error


def _one_of(variable: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    if value and value not in allowed:
        raise NotReady(f"{variable} is {value!r}; it can be {' or '.join(allowed)}.")
    return value or None
