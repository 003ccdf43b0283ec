"""Whatever is typed into whatever field: answered in words, believed by nobody."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk import create_app
from kiosk.config import Config
from kiosk.store.journal import Journal
from kiosk.views import Desk
from sync.messages import FACT, CheckIn
from tests.kiosk import builders as b
from tests.naughty import STRINGS

FREE = {"text", "password", "search", "email", "textarea", "number", "url"}


@dataclass
class Form:
    """A form of a page: where it goes, what it carries, and the fields that somebody can write into."""

    action: str
    carried: dict[str, str] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)


class Forms(HTMLParser):
    """The forms of a page that have something to write into."""

    def __init__(self, page: str, path: str) -> None:
        super().__init__()
        self._path = path
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        each = {name: value or "" for name, value in attrs}
        if tag == "form" and each.get("method") == "post":
            self.found.append(Form(each.get("action") or self._path))
        elif tag in ("input", "textarea") and self.found and each.get("name"):
            kind = tag if tag == "textarea" else each.get("type", "text")
            if kind in FREE:
                self.found[-1].free.add(each["name"])
            else:
                self.found[-1].carried[each["name"]] = each.get("value", "")


@pytest.fixture
def app_with_pin(folder: Path) -> Iterator[Flask]:
    """A desk with a PIN that lets anybody try as often as they like."""
    b.set_up(folder, lock=b.LOCK)
    app = create_app(Config(data_dir=folder, misses=0))
    yield app
    desk: Desk = app.extensions["desk"]
    desk.close()


def forms(client: FlaskClient, app: Flask) -> list[Form]:
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    paths = sorted({rule.rule for rule in rules})
    found = [form for path in paths for form in Forms(client.get(path).text, path).found if form.free]
    return list({(form.action, *sorted(form.free)): form for form in found}.values())


def unlock(client: FlaskClient) -> None:
    (gate,) = [form for form in Forms(client.get("/staff/").text, "/staff/").found if "pin" in form.free]
    assert client.post(gate.action, data=gate.carried | {"pin": b.PIN}).status_code == 303


@pytest.mark.timeout(300)
def test_every_field_stands_every_string(app_with_pin: Flask, folder: Path) -> None:
    client = app_with_pin.test_client()
    unlock(client)
    written = forms(client, app_with_pin)
    assert {name for form in written for name in form.free} >= {"identifier", "q", "pasted", "name", "address", "heard"}
    for text in STRINGS:
        for form in written:
            answer = client.post(form.action, data=form.carried | dict.fromkeys(form.free, text))
            assert answer.status_code < 500, (form.action, text)
            assert "<script>alert" not in answer.text
    assert _known_check_ins(folder) == []


def _known_check_ins(folder: Path) -> list[CheckIn]:
    journal = Journal(folder / "journal.sqlite")
    facts = [FACT.decode(body) for body in journal.facts_after(0, 100_000)]
    journal.close()
    return [fact for fact in facts if isinstance(fact, CheckIn) and fact.ref is not None]


def test_every_string_is_a_wrong_pin(app_with_pin: Flask) -> None:
    for text in STRINGS[::25]:
        client = app_with_pin.test_client()
        (gate,) = [form for form in Forms(client.get("/").text, "/").found if "identifier" in form.free]
        client.post("/staff/unlock", data=gate.carried | {"pin": text})
        assert client.get("/staff/").status_code == 403
