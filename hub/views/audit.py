"""Who did what: for administrators."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from hub.accounts import needs
from hub.actions import audit
from hub.rules.roles import AUDIT
from hub.store.audit import Entry
from hub.views import engine, institution_id

bp = Blueprint("audit", __name__)

_DONE: Mapping[str, Any] = {
    "import_check": lazy_gettext("Checked a file"),
    "import_apply": lazy_gettext("Imported a file"),
    "import_undo": lazy_gettext("Undid an import"),
    "import_throw_away": lazy_gettext("Threw an upload away"),
    "export_failed_rows": lazy_gettext("Downloaded the rows that failed"),
    "export_attendees": lazy_gettext("Exported the attendees of an event"),
    "export_event": lazy_gettext("Exported a whole event"),
    "export_students": lazy_gettext("Exported all students"),
    "add_staff": lazy_gettext("Let somebody sign in"),
    "remove_staff": lazy_gettext("Let somebody sign in no more"),
}


@bp.get("/audit")
@needs(AUDIT)
def log() -> ResponseReturnValue:
    """What was done last."""
    entries = audit.latest(engine(), institution_id())
    return render_template("audit.html", entries=entries, most=audit.MOST_SHOWN)


@bp.app_template_filter("what_was_done")
def what_was_done(entry: Entry) -> str:
    """What somebody did, as a sentence."""
    return str(_DONE.get(entry.what, entry.what))
