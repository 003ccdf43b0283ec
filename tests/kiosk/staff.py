"""How tests stand behind the desk."""

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kiosk.views import Desk
from sync.messages import FACT, Fact
from tests.kiosk import builders as b


def token(client: FlaskClient) -> str:
    """The token of this browser's pages."""
    marker = 'name="csrf_token" value="'
    return client.get("/").text.partition(marker)[2].partition('"')[0]


def post(client: FlaskClient, path: str, **form: object) -> TestResponse:
    """A plain form, as a browser without JavaScript sends it."""
    return client.post(path, data={"csrf_token": token(client), "session_id": str(b.FAIR), **form})


def try_pin(client: FlaskClient, pin: str = b.PIN) -> TestResponse:
    """A PIN, and the page that follows."""
    return client.post("/staff/unlock", data={"csrf_token": token(client), "pin": pin}, follow_redirects=True)


def facts(app: Flask) -> list[Fact]:
    """What is in the journal."""
    desk: Desk = app.extensions["desk"]
    return [FACT.decode(body) for body in desk.journal.facts_after(0, 1_000)]
