"""Teaching the desk what its scanner types."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kiosk import clock
from kiosk.actions import scanning
from kiosk.rules.scanner import CODE, Problem
from kiosk.views import this_desk
from kiosk.views.phone_link import as_code
from kiosk.views.staff import bp
from ui.language import html_lang


@bp.get("/scanner")
def scanner() -> ResponseReturnValue:
    """The code to scan, and what was learned from it."""
    return _page()


@bp.post("/scanner")
def learn_scanner() -> ResponseReturnValue:
    """The code was scanned; or what was learned is to be forgotten."""
    journal = this_desk().journal
    if "forget" in request.form:
        journal.learn_scanner(None)
    else:
        learned = scanning.learn(journal, request.form.get("heard", ""), clock.now().wall)
        if isinstance(learned, Problem):
            return _page(learned), 422
    return redirect(url_for("staff.scanner", lang=html_lang()), 303)


def _page(problem: Problem | None = None) -> str:
    learned = this_desk().journal.remembered().scanner
    return render_template("staff/scanner.html", learned=learned, problem=problem, code=as_code(CODE))
