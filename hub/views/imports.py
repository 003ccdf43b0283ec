"""Files in: uploaded, understood, checked, applied, undone. One page for each file, which goes on with it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args
from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from hub.accounts import may, needs
from hub.actions import agenda
from hub.actions.imports import MOST_SHOWN, Chosen, Report, ReportedRow, Undone, Warned, jobs
from hub.actions.imports.jobs import Glance, Shown
from hub.actions.imports.place import Goal
from hub.errors import HubRefused, UnknownSession, UnreadableFile
from hub.readers import DELIMITERS, ENCODINGS, How
from hub.readers.reading import MAX_BYTES
from hub.rules.attendee_file.columns import CHECKED_IN, REGISTERED
from hub.rules.headers import IGNORED
from hub.rules.roles import IMPORT, VIEW_STUDENTS
from hub.store.events import Session
from hub.store.imports import Import, Kind
from hub.views import engine, glances, institution_id, mending, now, page_number, place, runner, who, words
from hub.views.turns import NoTurn

bp = Blueprint("imports", __name__, url_prefix="/imports")
for word in words.FILTERS:
    bp.add_app_template_filter(word)

PAGE = 50
FORM_BYTES = 256 * 1024
"""What a form is beside the file in it; more than the two blocks of 64 KiB that are looked at together."""
PARTS = ("updated", "failed", "skipped", "flagged", "created")
"""The rows of a report, in the order in which they ask for a look."""
READ_OTHERWISE = {
    *("unknown_encoding", "not_utf8", "not_in_encoding", "unknown_delimiter", "nul", "line_too_long"),
    *("broken_quotes", "unclosed_quote", "cell_too_long", "too_many_columns"),
}
"""Reasons against a file that may go away when its text is read in another way."""
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("rows", "created", "updated", "unchanged", "skipped", "failed"), 0),
    **dict.fromkeys(("undone", "not_undone", "expected"), None),
    "warnings": [],
}
"""What a result holds, where nothing else is known."""


@bp.get("")
@needs(IMPORT)
def listed() -> ResponseReturnValue:
    """Every import, the latest first."""
    kind, unfinished, page = _kind(), "unfinished" in request.args, page_number()
    states = jobs.UNFINISHED if unfinished else None
    found = jobs.listed(place(), now(), kind, states=states, offset=(page - 1) * PAGE, limit=PAGE + 1)
    return render_template(
        "imports/list.html",
        imports=found[:PAGE],
        more=len(found) > PAGE,
        shown={"kind": kind, "unfinished": "yes" if unfinished else None},
        page=page,
        may_look=may_look,
        gone=_thrown_away(request.args.get("gone")),
    )


@bp.get("/new")
@needs(IMPORT)
def new() -> ResponseReturnValue:
    """Where a file is uploaded."""
    return _upload_page()


@bp.post("/new")
def upload() -> ResponseReturnValue:
    """Take a file in. The one form that may be large: nothing reads it before this (`hub.web`)."""
    if may(IMPORT):
        request.max_content_length = MAX_BYTES + FORM_BYTES
        request.max_form_memory_size = FORM_BYTES
    try:
        return _take_in()
    except RequestEntityTooLarge:
        if not may(IMPORT):
            raise
        _let_it_finish(request.content_length or 0)
        return _upload_page(UnreadableFile("too_large", "The file is larger than 50 MB.")), 413


@needs(IMPORT)
def _take_in() -> ResponseReturnValue:
    # Signed in by a cookie, so `needs` has asked for the form's token too.
    file = request.files.get("file")
    if file is None or not file.filename:
        return _upload_page(UnreadableFile("no_file", "No file was chosen.")), 422
    earlier, kind, session = _asked_for(request.form)
    mine = msgspec.structs.replace(mending.inherited(earlier), sees_students=True)
    chosen = _options(request.form, mine)
    try:
        import_id = jobs.take_in(
            place(),
            kind,
            None if session is None else session.id,
            file.filename,
            file.stream,  # type: ignore[arg-type]  # werkzeug names only what it needs of a stream
            chosen,
            who(),
            now(),
        )
    except UnreadableFile as error:
        return _upload_page(error), 422
    if earlier is not None:
        mending.keep_columns(earlier, import_id, chosen)
    if request.headers.get("X-Requested-With"):
        # A script would follow the way itself and then throw the page away.
        return Response(status=201, headers={"Location": url_for(".one", import_id=import_id)})
    return _to(import_id)


@bp.get("/<uuid:import_id>")
@needs(IMPORT)
def one(import_id: UUID) -> ResponseReturnValue:
    """What there is to see and to do, whatever has become of the file."""
    shown = _shown(import_id)
    row = shown.row
    if row.state in jobs.RUNNING:
        return render_template("imports/working.html", **_common(shown))
    if row.state == "thrown_away":
        return render_template("imports/gone.html", **_common(shown)), 410
    if row.state in jobs.CHANGEABLE and (row.state != "checked" or "again" in request.args):
        return _understood_page(shown)
    return _result_page(shown)


@bp.get("/<uuid:import_id>/progress")
@needs(IMPORT)
def progress(import_id: UUID) -> ResponseReturnValue:
    """The part of the page that moves while somebody is at work; afterwards the page is to be loaded again."""
    shown = _shown(import_id)
    if shown.row.state not in jobs.RUNNING:
        return Response(headers={"HX-Refresh": "true"})
    return render_template("imports/progress.html", **_common(shown))


@bp.post("/<uuid:import_id>/choices")
@needs(IMPORT)
def choose(import_id: UUID) -> ResponseReturnValue:
    """Read the file otherwise, and show how that looks."""
    _choose(_shown(import_id).row)
    return _to(import_id)


@bp.post("/<uuid:import_id>/check")
@needs(IMPORT)
def check(import_id: UUID) -> ResponseReturnValue:
    """Find out what would happen."""
    _choose(_shown(import_id).row)
    return _begun(import_id, "check")


@bp.post("/<uuid:import_id>/apply")
@needs(IMPORT)
def apply(import_id: UUID) -> ResponseReturnValue:
    """Let it happen."""
    _shown(import_id)
    return _begun(import_id, "apply")


@bp.get("/<uuid:import_id>/undo")
@needs(IMPORT)
def ask_to_undo(import_id: UUID) -> ResponseReturnValue:
    """Say what undoing means, before it is done."""
    shown = _shown(import_id)
    if shown.undoable_until is None:
        return _to(import_id)
    return render_template("imports/undo.html", **_common(shown))


@bp.post("/<uuid:import_id>/undo")
@needs(IMPORT)
def undo(import_id: UUID) -> ResponseReturnValue:
    """Put things back."""
    _shown(import_id)
    return _begun(import_id, "undo")


@bp.post("/<uuid:import_id>/throw-away")
@needs(IMPORT)
def throw_away(import_id: UUID) -> ResponseReturnValue:
    """Forget an upload that never counted."""
    _shown(import_id)
    try:
        jobs.throw_away(place(), import_id, who(), now())
    except jobs.NotNow:
        return _to(import_id)
    return redirect(url_for(".listed", gone=import_id), 303)


@bp.get("/<uuid:import_id>/failed-rows")
@needs(IMPORT)
def failed_rows(import_id: UUID) -> ResponseReturnValue:
    """The rows that did not make it, with the reason, to be mended and uploaded again."""
    shown = _shown(import_id)
    file = jobs.hand_out(place(), shown, who(), now())
    if file is None:
        abort(404)
    stem, _, ending = file.name.rpartition(".")
    original = shown.row.file_name.rpartition(".")[0] or stem
    response = send_file(file, as_attachment=True, download_name=f"{original}-failed-rows.{ending}")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.errorhandler(HubRefused)
def not_now(error: HubRefused) -> tuple[str, int]:
    """The machine or the database would not do it."""
    current_app.logger.warning("import: %s", error.code)
    return render_template("not_now.html", too_many=isinstance(error, (jobs.TooMany, NoTurn))), 503


# --- what these have in common


def _shown(import_id: UUID) -> Shown:
    """An import that whoever is signed in may look into: it holds names and addresses."""
    try:
        shown = jobs.show(place(), import_id, now())
    except jobs.UnknownImport:
        abort(404)
    if not may_look(shown.row):
        abort(403)
    return shown


def may_look(row: Import) -> bool:
    """Whether whoever is signed in may see what is in a file."""
    return may(VIEW_STUDENTS) or (row.who == who() and not jobs.choices(row).sees_students)


def _common(shown: Shown) -> dict[str, Any]:
    session = None if shown.row.session_id is None else _session(str(shown.row.session_id))
    return {"shown": shown, "row": shown.row, "session": session, "sees_students": may(VIEW_STUDENTS)}


def _to(import_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".one", import_id=import_id), 303)


def _begun(import_id: UUID, goal: Goal) -> ResponseReturnValue:
    # Whoever pressed twice, or after somebody else did, sees what is going on already.
    with suppress(jobs.NotNow, jobs.TooLate):
        jobs.begin(place(), import_id, goal, who(), now(), runner().start)
    return _to(import_id)


def _kind(asked: Mapping[str, str] | None = None) -> Kind | None:
    wished = (request.args if asked is None else asked).get("kind")
    return next((kind for kind in get_args(Kind) if kind == wished), None)


def _thrown_away(text: str | None) -> Import | None:
    """An upload of which the list says that it is gone."""
    with suppress(ValueError, jobs.UnknownImport):
        row = jobs.show(place(), UUID(text or ""), now()).row
        return row if row.state == "thrown_away" and may_look(row) else None
    return None


def _session(text: str | None) -> Session | None:
    try:
        return agenda.session(engine(), institution_id(), UUID(text)) if text else None
    except (ValueError, UnknownSession):
        abort(404)


# --- what would change, what did


def _result_page(shown: Shown) -> str:
    result = NUMBERS | (shown.row.result or {})
    rows = _rows(shown.report)
    part = request.args.get("part", "")
    if not rows.get(part):
        part = next((each for each in PARTS if rows.get(each)), "")
    return render_template(
        "imports/result.html",
        result=result | {"warnings": msgspec.convert(result["warnings"], list[Warned])},
        undone=None if result["undone"] is None else msgspec.convert(result["undone"], Undone),
        amounts={each: len(rows.get(each, ())) for each in PARTS},
        part=part,
        rows=rows.get(part, ()),
        most_shown=MOST_SHOWN,
        taken_as=_taken_as(shown),
        left_out=_left_out(shown),
        may_look=may_look,
        **_common(shown),
    )


def _rows(report: Report | None) -> dict[str, Sequence[ReportedRow]]:
    """The rows there are to show, by what became of them."""
    if report is None:
        return {}
    rejected = {kind: [row for row in report.rejected if row.outcome.became == kind] for kind in ("failed", "skipped")}
    return {"updated": report.updated, "flagged": report.flagged, "created": report.created, **rejected}


def _taken_as(shown: Shown) -> str | None:
    """What everybody in the file was said to have done; None where the file itself says it, or nobody knows."""
    if shown.row.kind != "attendees" or shown.report is None or {REGISTERED, CHECKED_IN} & set(shown.report.columns):
        return None
    return jobs.choices(shown.row).just_addresses


def _left_out(shown: Shown) -> list[str]:
    """The headers of columns that somebody left out."""
    chosen = jobs.choices(shown.row).columns
    headers = () if shown.report is None else shown.report.headers
    return [header for index, header in enumerate(headers) if chosen.get(index) == IGNORED]


# --- uploading


def _upload_page(wrong: UnreadableFile | None = None) -> str:
    earlier, kind, session = _asked_for(
        request.args if wrong is None or wrong.reason == "too_large" else request.values
    )
    return render_template(
        "imports/new.html",
        kind=kind,
        session=session,
        wrong=wrong,
        most_bytes=MAX_BYTES,
        earlier=earlier,
        chosen=mending.inherited(earlier),
    )


def _asked_for(asked: Mapping[str, str]) -> tuple[Shown | None, Kind, Session | None]:
    """The import whose mended rows these are, if they are; the kind of the file, and the session it is for."""
    earlier = _mended(asked.get("mends"))
    if earlier is not None:
        row = earlier.row
        return earlier, row.kind, _session(None if row.session_id is None else str(row.session_id))
    session = _session(asked.get("session"))
    return None, "attendees" if session is not None else _kind(asked) or "students", session


def _mended(text: str | None) -> Shown | None:
    try:
        return _shown(UUID(text)) if text else None
    except ValueError:
        abort(404)


def _let_it_finish(size: int) -> None:
    """Take what is still being sent, up to a point: a browser that is cut off shows no page of ours."""
    if size <= MAX_BYTES + FORM_BYTES:
        return  # Refused in the middle: how much is left nobody knows.
    stream, left = request.environ["wsgi.input"], min(size, 4 * MAX_BYTES)
    while left > 0 and (block := stream.read(min(left, 1 << 16))):
        left -= len(block)


# --- what we understood


def _understood_page(shown: Shown) -> str:
    glance: Glance | None = None
    wrong: UnreadableFile | None = None
    try:
        glance = glances.glance(shown.row.id)
    except UnreadableFile as error:
        wrong = error
    return render_template(
        "imports/understood.html",
        glance=glance,
        wrong=wrong,
        correctable=wrong is None or wrong.reason in READ_OTHERWISE,
        chosen=jobs.choices(shown.row),
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        **_common(shown),
    )


def _choose(row: Import) -> None:
    before = jobs.choices(row)
    chosen = _read_otherwise(request.form, _options(request.form, before))
    with suppress(jobs.NotNow):
        jobs.choose(place(), row.id, chosen, now())


def _options(form: Mapping[str, str], before: Chosen) -> Chosen:
    listed_are = form.get("just_addresses")
    return msgspec.structs.replace(
        before,
        # Whoever brought the file looks into it, even if somebody else goes on with it.
        sees_students=before.sees_students and may(VIEW_STUDENTS),
        identifier_changes="identifier_changes" in form,
        sync="sync" in form,
        match_by="email_address" if form.get("match_by") == "email_address" else "username",
        just_addresses=listed_are if listed_are in ("checked_in", "registered") else None,
    )


def _read_otherwise(form: Mapping[str, str], before: Chosen) -> Chosen:
    how = How(
        encoding=_one_of(form.get("encoding"), ENCODINGS),
        delimiter=_one_of(form.get("delimiter"), DELIMITERS),
        sheet=form.get("sheet") or None,
    )
    # Cut at other places, a row has other columns; to choose what was found changes nothing.
    same_columns = how.sheet == before.how.sheet and how.delimiter in (
        before.how.delimiter,
        form.get("shown-delimiter"),
    )
    return msgspec.structs.replace(before, how=how, columns=_columns(form, before) if same_columns else {})


def _columns(form: Mapping[str, str], before: Chosen) -> dict[int, str]:
    """What was chosen for a column, now or earlier. What a page only shows as understood is not a choice."""
    chosen = dict(before.columns)
    for name, value in form.items():
        prefix, _, index = name.partition("-")
        if prefix != "column" or not (index.isascii() and index.isdigit() and len(index) < 6):
            continue
        if value != form.get(f"shown-{index}"):
            chosen[int(index)] = value
    return chosen


def _one_of(text: str | None, known: tuple[str, ...]) -> str | None:
    return text if text in known else None
