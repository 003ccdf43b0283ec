"""Whatever is sent to the kiosk API, nothing breaks; and a hub that breaks is found out."""

import zlib
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine

from hub import create_app
from hub.config import Config
from hub.store import streams
from hub.store.streams import Stream
from hub.views import api
from tests.faults.fuzz import attempt, fuzz
from tests.faults.outcome import Effort

A_LITTLE = Effort(seed=1, scale=0.004)


def test_requests_that_are_no_kiosks_break_nothing() -> None:
    outcome = fuzz(A_LITTLE)

    assert outcome.well, outcome


def test_a_hub_that_falls_over_garbled_gzip_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_unzipped", lambda raw: zlib.decompress(raw, wbits=zlib.MAX_WBITS | 16))

    outcome = attempt(A_LITTLE, postgres=False)

    assert outcome.wrong["server errors"] > 0, outcome


def test_a_hub_that_answers_with_pages_is_found_out() -> None:
    def with_pages(config: Config, engine: Engine) -> Flask:
        app = create_app(config, engine)
        app.error_handler_spec[None].clear()
        return app

    outcome = attempt(A_LITTLE, with_pages, postgres=False)

    assert outcome.wrong["answers not of the API's kind"] > 0, outcome


def test_a_hub_that_takes_anybodys_word_for_another_kiosk_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = streams.lock

    def trusting(
        conn: Connection, institution_id: UUID, stream_id: UUID, kiosk_id: UUID, parent_id: UUID | None, now: datetime
    ) -> Stream:
        held = honest(conn, institution_id, stream_id, kiosk_id, parent_id, now)
        return Stream(kiosk_id, held.acked_seq, held.acked_hash)

    monkeypatch.setattr(streams, "lock", trusting)

    outcome = attempt(A_LITTLE, postgres=False)

    assert outcome.wrong["other kiosks harmed"] > 0, outcome
