"""The API as a whole: it is described truly, and every refusal is a problem document."""

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from sqlalchemy import Engine

from hub import create_app, schema
from hub.config import Config
from hub.database import connect, writing
from tests.hub.conftest import Institution
from tests.hub.desk import Desk


def test_the_openapi_document_is_valid_and_names_every_route(app: Flask, client: FlaskClient) -> None:
    response = client.get("/api/v1/openapi.json")
    document = msgspec.json.decode(response.data)
    validate(document)
    assert document["openapi"].startswith("3.1")
    routes = {
        str(rule).replace("<uuid:", "{").replace("<int:", "{").replace(">", "}")
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/api/") and not str(rule).endswith("openapi.json")
    }
    assert routes == set(document["paths"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("GET", "/api/v1//feed", 404), ("PUT", "/api/v1/feed", 405)],
)
def test_a_wrong_address_or_method_is_a_problem_document_that_names_the_hub(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert msgspec.json.decode(response.data)["hub_id"] == response.headers["Kiosk-Hub"]
    assert ("Allow" in response.headers) == (status == 405)


def test_a_locked_database_is_a_503_with_a_time_to_come_back(
    config: Config, institution: Institution, desk: Desk, engine: Engine
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL lets other rows be written meanwhile")
    impatient = connect(config.database_url, busy_ms=1)
    with writing(engine):
        response = desk.send(create_app(config, impatient).test_client(), desk.push())
    impatient.dispose()
    assert (response.status_code, msgspec.json.decode(response.data)["code"]) == (503, "busy")
    assert response.headers["Retry-After"]


def test_a_hub_without_its_database_says_so_everywhere_and_raises_nowhere(config: Config, engine: Engine) -> None:
    broken = connect(config.database_url.replace("hub", "no_such_place/hub"), busy_ms=1)
    client = create_app(config, broken).test_client()
    for path in ("/api/v1/feed", "/api/v1/nothing", "/api/v1/openapi.json", "/readyz"):
        for headers in ({}, {"Authorization": "Bearer token"}):
            assert client.get(path, headers=headers).status_code in (200, 401, 404, 503)
    assert client.get("/readyz").status_code == 503
    assert client.get("/api/v1/feed", headers={"Authorization": "Bearer token"}).status_code == 503
    broken.dispose()


def test_a_database_that_goes_away_makes_the_hub_unready(config: Config, engine: Engine, client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200
    with writing(engine) as conn:
        conn.execute(schema.hubs.delete())
    assert client.get("/readyz").status_code == 503


def test_alive_needs_nothing_and_ready_needs_a_hub_that_is_set_up(config: Config, engine: Engine) -> None:
    client = create_app(config, engine).test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_ready_when_set_up(client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200
