"""Is the hub alive, and is it ready to work?"""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from hub.actions import readiness
from hub.errors import NotReady
from hub.views import engine

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database is there, set up and of today's shape."""
    try:
        readiness.hub_id(engine())
    except NotReady as error:
        return jsonify(status="not_ready", code=error.code), 503
    return jsonify(status="ok")
