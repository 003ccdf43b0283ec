"""Static files whose address changes with their content, so that browsers may keep them for ever."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request
from werkzeug.security import safe_join

_A_YEAR = 365 * 24 * 3600


def init_assets(app: Flask) -> None:
    """Serves what both faces share at /ui/, and gives every static address a `?v=`."""
    app.register_blueprint(Blueprint("ui", __name__, static_folder="static", static_url_path="/ui"))

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if "v" in values or "filename" not in values:
            return
        version = _version(app, endpoint, values["filename"])
        if version:
            values["v"] = version

    @app.after_request
    def keep_what_cannot_change(response: Response) -> Response:
        asked = request.args.get("v")
        if asked and response.status_code in (200, 304) and request.view_args:
            current = _version(app, request.endpoint or "", request.view_args.get("filename", ""))
            # An old address with new content behind it must not be kept under the old name.
            if asked == current:
                response.headers["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
        return response


def _version(app: Flask, endpoint: str, filename: str) -> str | None:
    blueprint, _, name = endpoint.rpartition(".")
    if name != "static":
        return None
    folder = app.blueprints[blueprint].static_folder if blueprint else app.static_folder
    path = safe_join(folder, filename) if folder else None
    if path is None:
        return None
    try:
        changed = Path(path).stat()
        return _hash(path, changed.st_mtime_ns, changed.st_size)
    except OSError:
        return None


@lru_cache(maxsize=512)
def _hash(path: str, mtime_ns: int, size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
