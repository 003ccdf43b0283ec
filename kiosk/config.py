"""What a kiosk is told from outside: read once, from the environment, and refused at once when it is wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

APP = f"kiosk/{version('kiosk-checkin')}"
"""What this program calls itself at the hub."""
LANGUAGES = ("en", "fr")
KEYBOARDS = ("auto", "on", "off")
SOUNDS = {"on": True, "off": False}


class WrongSetting(Exception):
    """A setting that cannot be used; `name` is the environment variable to correct."""

    code = "wrong_setting"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Config:
    """How this kiosk is set up. `timezone` None: the device's own.

    `reset_s`: how long an answer stays. `lock_s`: after how long without a touch the staff pages lock. `misses`: how
    many unknown addresses or cards within five minutes send everybody to staff; 0: no number does. `keyboard`: whether
    the screen has one. `sound`: whether a verdict is heard. `phone_*`: where the check-in page for phones is served,
    once it is switched on; `phone_networks` are answered besides those that are private anywhere.
    """

    data_dir: Path
    language: str = "en"
    timezone: ZoneInfo | None = None
    host: str = "127.0.0.1"
    port: int = 8001
    reset_s: float = 5.0
    lock_s: float = 120.0
    misses: int = 20
    keyboard: str = "auto"
    sound: bool = True
    phone_host: str = "0.0.0.0"  # noqa: S104 - phones are on the network; listened on only when switched on
    phone_port: int = 8002
    phone_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises `WrongSetting`. A variable that is set to nothing counts as not set."""
        told = {name: value for name, value in environment.items() if value.strip()}
        return cls(
            data_dir=_data_dir(told),
            language=_language(told.get("KIOSK_LANGUAGE", "en")),
            timezone=_timezone(told.get("KIOSK_TIMEZONE")),
            host=told.get("KIOSK_HOST", "127.0.0.1").strip(),
            port=_port(told, "KIOSK_PORT", "8001"),
            reset_s=_seconds(told, "KIOSK_RESET_SECONDS", "5"),
            lock_s=_seconds(told, "KIOSK_LOCK_SECONDS", "120"),
            misses=_count(told, "KIOSK_MISSES", "20"),
            keyboard=_keyboard(told.get("KIOSK_SCREEN_KEYBOARD", "auto")),
            sound=_sound(told.get("KIOSK_SOUND", "on")),
            phone_host=told.get("KIOSK_PHONE_HOST", "0.0.0.0").strip(),  # noqa: S104
            phone_port=_port(told, "KIOSK_PHONE_PORT", "8002"),
            phone_networks=_networks(told.get("KIOSK_PHONE_NETWORKS", "")),
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


def _port(told: Mapping[str, str], name: str, default: str) -> int:
    text = told.get(name, default)
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 < port < 65536:
        raise WrongSetting(name, f"{text!r} is not a number from 1 to 65535")
    return port


def _seconds(told: Mapping[str, str], name: str, default: str) -> float:
    text = told.get(name, default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.1 <= seconds <= 600:
        raise WrongSetting(name, f"{text!r} is not a number of seconds from 0.1 to 600")
    return seconds


def _count(told: Mapping[str, str], name: str, default: str) -> int:
    text = told.get(name, default).strip()
    if not (text.isascii() and text.isdigit() and int(text) <= 10_000):
        raise WrongSetting(name, f"{text!r} is not a number from 0 to 10000")
    return int(text)


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise WrongSetting("KIOSK_PHONE_NETWORKS", f"{error}; write it like 198.51.100.0/24") from error


def _keyboard(text: str) -> str:
    if text not in KEYBOARDS:
        raise WrongSetting("KIOSK_SCREEN_KEYBOARD", f"{text!r} is none of {', '.join(KEYBOARDS)}")
    return text


def _sound(text: str) -> bool:
    if text not in SOUNDS:
        raise WrongSetting("KIOSK_SOUND", f"{text!r} is none of {', '.join(SOUNDS)}")
    return SOUNDS[text]
