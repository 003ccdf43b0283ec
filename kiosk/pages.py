"""What the pages of the desk and those for phones are written in."""

from datetime import datetime, tzinfo

from flask import Flask
from flask_babel import format_date, format_decimal
from jinja2 import StrictUndefined

from kiosk import clock
from kiosk.config import Config
from kiosk.rules.codes import code_of
from kiosk.views.ease import init_ease
from ui.assets import init_assets
from ui.headers import secure_headers
from ui.language import init_language


def init_pages(app: Flask, config: Config) -> None:
    """Gives an app its languages, its looks, its security headers, and the words its templates know."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters.update(
        hour=lambda moment: clock.local(moment, config.timezone).strftime("%H:%M"),
        second=lambda moment: clock.local(moment, config.timezone).strftime("%H:%M:%S"),
        # A date, not a moment: the library would take that to a zone of its own.
        day=lambda moment: format_date(clock.local(moment, config.timezone).date(), "EEE d MMM"),
        full_day=lambda moment: format_date(clock.local(moment, config.timezone).date(), "EEEE d MMMM yyyy"),
        decimal=format_decimal,
        code_of=code_of,
    )
    app.jinja_env.tests.update(
        today=lambda moment: _days_ago(moment, config.timezone) == 0,
        yesterday=lambda moment: _days_ago(moment, config.timezone) == 1,
    )
    init_language(app)
    init_ease(app)
    init_assets(app)
    secure_headers(app)


def _days_ago(moment: datetime, zone: tzinfo | None) -> int:
    return (clock.local(clock.now().wall, zone).date() - clock.local(moment, zone).date()).days
