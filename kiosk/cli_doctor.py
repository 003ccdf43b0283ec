"""`kiosk doctor`: the preflight page for a terminal, in the same words."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from markupsafe import Markup
from uuid_utils.compat import uuid7

from kiosk import clock, create_app
from kiosk.actions import preflight
from kiosk.config import Config
from kiosk.rules.preflight import Check, all_well
from kiosk.rules.preflight import journal as journal_check
from kiosk.store.sqlite import NotRecorded, StoreDamaged, StoreTooNew
from kiosk.views import Desk

_MARKS = {True: "ok ", None: " ? ", False: "BAD"}


@dataclass(frozen=True, slots=True)
class Told:
    """A check in words."""

    check: Check
    title: str
    found: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the doctor found, in words."""

    told: list[Told]

    @property
    def well(self) -> bool:
        return all_well([each.check for each in self.told])

    def as_json(self) -> dict[str, Any]:
        checks = [
            {
                "name": each.check.name,
                "ok": each.check.ok,
                "code": each.check.code,
                "found": each.found,
                "way_out": each.way_out,
            }
            for each in self.told
        ]
        return {"ok": self.well, "checks": checks}

    def as_text(self) -> str:
        return "\n".join(
            f"{_MARKS[each.check.ok]}  {each.title}: {each.found}" + (f"\n     {each.way_out}" if each.way_out else "")
            for each in self.told
        )


def look(config: Config) -> Found:
    """Try everything, look at everything. A journal that cannot be opened is a finding like others."""
    app = create_app(config)
    desk: Desk = app.extensions["desk"]
    try:
        return _in_words(app, _checks(desk))
    finally:
        desk.close()


def _checks(desk: Desk) -> list[Check]:
    problem = None
    try:
        try:
            preflight.try_everything(desk.stores, desk.config.data_dir, clock.now, uuid7(), desk.connect)
        except NotRecorded as error:
            problem = error.reason
        return preflight.examine(desk.stores, clock.now(), desk.config.timezone, problem)
    except NotRecorded as error:
        return [journal_check(error.reason, durable=False)]
    except (StoreDamaged, StoreTooNew) as error:
        return [journal_check(error.code, durable=False)]


def _in_words(app: Flask, checks: list[Check]) -> Found:
    with app.app_context():
        words: Any = app.jinja_env.get_template("staff/checks.html").module

        def plain(name: str, check: Check) -> str:
            return Markup(getattr(words, name)(check)).striptags()  # noqa: S704 - our own template's

        return Found(
            [
                Told(each, *(plain(name, each) for name in ("check_title", "check_found", "check_way_out")))
                for each in checks
            ]
        )
