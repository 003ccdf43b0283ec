"""What a kiosk is told from outside: read once, from the environment, and refused at once when it is wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "fr")


class WrongSetting(Exception):
    """A setting that cannot be used; `name` is the environment variable to correct."""

    code = "wrong_setting"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Config:
    """How this kiosk is set up. `timezone` None: the device's own."""

    data_dir: Path
    language: str = "en"
    timezone: ZoneInfo | None = None
    host: str = "127.0.0.1"
    port: int = 8001
    reset_s: float = 5.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises `WrongSetting`. A variable that is set to nothing counts as not set."""
        told = {name: value for name, value in environment.items() if value.strip()}
        return cls(
            data_dir=_data_dir(told),
            language=_language(told.get("KIOSK_LANGUAGE", "en")),
            timezone=_timezone(told.get("KIOSK_TIMEZONE")),
            host=told.get("KIOSK_HOST", "127.0.0.1").strip(),
            port=_port(told.get("KIOSK_PORT", "8001")),
            reset_s=_reset(told.get("KIOSK_RESET_SECONDS", "5")),
        )

    @property
    def journal_path(self) -> Path:
        return self.data_dir / "journal.sqlite"


def _data_dir(told: Mapping[str, str]) -> Path:
    chosen = told.get("KIOSK_DATA_DIR")
    if chosen is None:
        home = told.get("XDG_DATA_HOME")
        base = Path(home) if home else Path.home() / ".local" / "share"
        return base / "kiosk"
    path = Path(chosen).expanduser()
    if path.exists() and not path.is_dir():
        raise WrongSetting("KIOSK_DATA_DIR", f"{path} is not a folder")
    return path.absolute()


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise WrongSetting("KIOSK_LANGUAGE", f"{text!r} is none of {', '.join(LANGUAGES)}")
    return text


def _timezone(text: str | None) -> ZoneInfo | None:
    if text is None:
        return None
    try:
        return ZoneInfo(text.strip())
    except (KeyError, ValueError, OSError) as error:
        raise WrongSetting("KIOSK_TIMEZONE", f"{text!r} is no time zone; write it like Europe/Paris") from error


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 < port < 65536:
        raise WrongSetting("KIOSK_PORT", f"{text!r} is not a number from 1 to 65535")
    return port


def _reset(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.1 <= seconds <= 600:
        raise WrongSetting("KIOSK_RESET_SECONDS", f"{text!r} is not a number of seconds from 0.1 to 600")
    return seconds
