"""The latest of this desk, and taking it back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from flask import flash, get_flashed_messages, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from uuid_utils.compat import uuid7

from kiosk import clock
from kiosk.actions import arrivals, undoing
from kiosk.store.directory import Listing
from kiosk.store.recent import Kept, Newer
from kiosk.store.remembered import Remembered
from kiosk.store.sqlite import NotRecorded
from kiosk.views import Desk, this_desk, wants_fragment
from kiosk.views.staff import bp
from sync.messages import CheckIn, CheckOut, Session, Undo
from ui.language import html_lang

LATEST = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A fact as staff read it. `what`: `in`, `out`, `everyone_out`, `undo` or `rehearsal`; an undo is told by `meant`,
    the fact it takes back. `name` None: the directory has none for it."""

    kept: Kept
    what: str
    name: str | None
    session: Session | None
    meant: "Row | None"
    can_be_undone: bool
    can_come_again: bool


@dataclass(frozen=True, slots=True)
class News:
    """What has just been done, or could not be; and with which fact."""

    code: str
    row: Row | None


@bp.get("/recent")
def recent() -> ResponseReturnValue:
    """The latest check-ins, check-outs and undos, the newest first."""
    return _page()


@bp.post("/recent/<uuid:fact_id>/undo")
def undo(fact_id: UUID) -> ResponseReturnValue:
    """Take a check-in or a check-out back."""
    try:
        done = undoing.undo(this_desk().journal, fact_id, clock.now(), uuid7())
    except NotRecorded:
        return answered("not_recorded", fact_id)
    return _unknown() if done is None else answered(done, fact_id)


@bp.post("/recent/<uuid:fact_id>/again")
def again(fact_id: UUID) -> ResponseReturnValue:
    """Let somebody in again, or out again, whose check-in or check-out was taken back."""
    try:
        done = undoing.again(this_desk().journal, fact_id, clock.now(), uuid7())
    except NotRecorded:
        return answered("not_recorded", fact_id)
    return _unknown() if done is None else answered(done, fact_id)


def answered(code: str, fact_id: UUID) -> ResponseReturnValue:
    """The page of the latest, which says once what has been done with which fact."""
    flash(str(fact_id), code)
    if wants_fragment():
        return _page("staff/recent_list.html")
    return redirect(url_for("staff.recent", lang=html_lang(), all="yes" if _all_sessions() else None), 303)


def _unknown() -> ResponseReturnValue:
    flash("", "unknown")
    return _page(), 404


def _page(template: str = "staff/recent.html") -> str:
    here = this_desk()
    teller = _teller(here)
    chosen = teller.remembered.session
    session = None if chosen is None or _all_sessions() else chosen.id
    return render_template(
        template,
        rows=list(teller.rows(here.journal.latest(LATEST, session))),
        chosen=chosen,
        all_sessions=session is None,
        news=[teller.news(code, fact_id) for code, fact_id in _flashed()],
        latest=LATEST,
    )


def _flashed() -> list[tuple[str, str]]:
    return cast(list[tuple[str, str]], get_flashed_messages(with_categories=True))


def _all_sessions() -> bool:
    return request.values.get("all") == "yes"


def _teller(here: Desk) -> "_Teller":
    directory = here.directory.reading()
    return _Teller(here, here.journal.remembered(), directory.by_ref if directory else {})


@dataclass(frozen=True, slots=True)
class _Teller:
    """Makes rows of facts: with a name for whoever is in the open directory."""

    here: Desk
    remembered: Remembered
    people: Mapping[UUID, Listing]

    def rows(self, latest: Iterable[Kept]) -> Iterator[Row]:
        newest_of: set[tuple[UUID, str]] = set()
        for kept in latest:
            person = None if kept.subject is None else (kept.fact.session_id, kept.subject)
            # Whoever came or went since then is not offered the same again.
            yield self.row(kept, kept.undone and person is not None and person not in newest_of)
            if person is not None:
                newest_of.add(person)

    def row(self, kept: Kept, can_come_again: bool = False) -> Row:
        fact = kept.fact
        meant = self.here.journal.kept(fact.undoes[0]) if isinstance(fact, Undo) else None
        ref = fact.ref if isinstance(fact, CheckIn | CheckOut) else None
        listing = None if ref is None else self.people.get(ref)
        return Row(
            kept=kept,
            what=_what(kept),
            name=None if listing is None else listing.line.name,
            session=arrivals.session_for(self.remembered, self.here.roster, fact.session_id),
            meant=None if meant is None else self.row(meant),
            can_be_undone=undoing.can_be_undone(kept),
            can_come_again=can_come_again,
        )

    def news(self, code: str, fact_id: str) -> News:
        kept = self.here.journal.kept(UUID(fact_id)) if fact_id else None
        return News(code, None if kept is None else self.row(kept))


def _what(kept: Kept) -> str:
    match kept.fact:
        case CheckIn():
            return "in"
        case CheckOut(everyone=True):
            return "everyone_out"
        case CheckOut():
            return "out"
        case Undo():
            return "undo"
        case Newer():
            return "newer"
    return "rehearsal"
