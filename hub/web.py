"""Wires the web program together, and decides nothing."""

from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy import Engine

from hub import accounts
from hub.config import Config, checked_secret
from hub.database import connect
from hub.runner import Runner
from hub.views import api, audit, events, exports, health, imports, pages
from hub.views.problems import answer_with_problems
from ui.assets import init_assets
from ui.headers import secure_headers
from ui.language import init_language, keep_language

MAX_REQUEST_BYTES = 1024 * 1024


def wire(config: Config, engine: Engine | None = None) -> Flask:
    """The hub's web application. Raises `NotReady` when the secret key is missing, well known or short."""
    app = Flask("hub", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=checked_secret(config),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.url.startswith("https:"),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        DEFAULT_LANGUAGE=config.language,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    # The API redirects nobody: //feed is nothing at all.
    app.url_map.merge_slashes = False
    app.jinja_env.undefined = StrictUndefined
    app.extensions["hub_config"] = config
    app.extensions["hub_engine"] = engine or connect(config.database_url)
    app.extensions["hub_runner"] = Runner(config)
    init_assets(app)
    init_language(app)
    keep_language(app)
    secure_headers(app)
    accounts.set_up_accounts(app, app.extensions["hub_engine"])
    app.register_blueprint(health.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(events.bp)
    app.register_blueprint(imports.bp)
    app.register_blueprint(exports.bp)
    app.register_blueprint(audit.bp)
    csrf = CSRFProtect(app)
    csrf.exempt(api.bp)
    # Its token is asked for later (`needs`): the form is larger than what is read of a stranger's.
    csrf.exempt("hub.views.imports.upload")
    slow_down = Limiter(get_remote_address, app=app, storage_uri="memory://").limit("20 per minute", methods=["POST"])
    app.view_functions["security.login"] = slow_down(app.view_functions["security.login"])  # type: ignore[assignment]
    answer_with_problems(app)
    return app
