"""Files to download: who was at an event, and all students. Each is in the audit log before its first byte leaves."""

import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import Blueprint, abort, current_app, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from hub.accounts import needs
from hub.actions.exports import Export, attendees, students, whole_event
from hub.actions.exports.attendees import Written
from hub.actions.exports.words import Language
from hub.errors import HubRefused, NotWritten, UnknownEvent
from hub.rules.roles import EXPORT, VIEW_STUDENTS
from hub.views import config, engine, institution_id, now, who
from hub.writers.csv_file import DELIMITERS

bp = Blueprint("exports", __name__)

_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}


@bp.get("/events/<uuid:event_id>/attendees.<any(handshake, csv, xlsx):format>")
@needs(EXPORT)
def event_attendees(event_id: UUID, format: attendees.Format) -> ResponseReturnValue:
    """Who was registered for an event and who came."""
    return _download(lambda export, file: attendees.write(export, event_id, format, file, _delimiter()))


@bp.get("/events/<uuid:event_id>.zip")
@needs(EXPORT)
def event(event_id: UUID) -> ResponseReturnValue:
    """All files of an event."""
    return _download(lambda export, file: whole_event.write_zip(export, event_id, file, _delimiter()))


@bp.get("/students.<any(csv, xlsx):format>")
@needs(VIEW_STUDENTS)
@needs(EXPORT)
def all_students(format: students.Format) -> ResponseReturnValue:
    """All students, in the columns of the student file."""
    return _download(lambda export, file: students.write(export, format, file, _delimiter()))


def _download(write: Callable[[Export, Path], Written]) -> ResponseReturnValue:
    export = Export(
        engine=engine(),
        institution_id=institution_id(),
        who=who(),
        now=now(),
        language=cast(Language, str(get_locale())),
        zone=config().time_zone,
        folder=config().data_dir,
    )
    try:
        with export.scratch() as scratch:
            written = write(export, scratch / "export")
            # It stays readable for as long as it is open, and is gone after that.
            whole = (scratch / "export").open("rb")
    except UnknownEvent:
        abort(HTTPStatus.NOT_FOUND)
    except NotWritten as error:
        current_app.logger.error("export: %s", error.code)
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    except HubRefused:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    kind = _TYPES[Path(written.name).suffix]
    response = send_file(whole, kind, as_attachment=True, download_name=written.name, etag=False)
    response.content_length = os.fstat(whole.fileno()).st_size
    response.headers["Cache-Control"] = "no-store"
    return response


def _delimiter() -> str:
    return DELIMITERS.get(request.args.get("delimiter", "comma")) or abort(HTTPStatus.BAD_REQUEST)
