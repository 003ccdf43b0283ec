"""The kiosk API as an OpenAPI 3.1 document, made from the messages themselves, so that it cannot drift from them."""

from functools import cache
from typing import Any

import msgspec

from sync.messages import Bucket, Digests, Enrolled, Enrolment, FeedPage, Problem, Push, PushAnswer

REFUSALS = {
    "400": "Not JSON, or not the gzip it is said to be",
    "401": "The token is not known (`device_unknown`)",
    "403": "Cut off (`device_revoked`), or another kiosk's stream (`foreign_stream`), or a bad code (`code_refused`)",
    "404": "There is none",
    "409": "`gap` (with the hub's mark) or `fork` (with `at_seq`)",
    "413": "Too large (`too_large`)",
    "415": "Not application/json",
    "422": "JSON of another shape",
    "426": "Another version of the protocol (`proto_too_old`)",
    "429": "Too many requests; `Retry-After` in seconds",
    "503": "Busy or not ready; `Retry-After` in seconds",
}


@cache
def document() -> bytes:
    """The document as JSON bytes."""
    messages = (Push, PushAnswer, FeedPage, Digests, Bucket, Enrolment, Enrolled, Problem)
    references, schemas = msgspec.json.schema_components(messages, ref_template="#/components/schemas/{name}")
    schema = dict(zip(messages, references, strict=True))
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Kiosk API", "version": "1", "summary": "How a check-in kiosk and its hub agree"},
            "paths": {
                "/api/v1/enrolments": {
                    "post": _operation(
                        "enrol",
                        "Exchange a one-time code for a bearer token",
                        body=schema[Enrolment],
                        answers={"201": _answer("Enrolled", schema[Enrolled])},
                        refusals=("400", "403", "413", "415", "422", "503"),
                        problem=schema[Problem],
                        secured=False,
                    )
                },
                "/api/v1/ca.pem": {
                    "get": _operation(
                        "authority",
                        "The certificate of the hub's own authority, for a kiosk that was told its fingerprint",
                        answers={"200": _answer("PEM", {"type": "string"}, "application/x-pem-file")},
                        refusals=("404", "503"),
                        problem=schema[Problem],
                        secured=False,
                    )
                },
                "/api/v1/streams/{stream_id}/facts": {
                    "parameters": [_parameter("stream_id", "path", {"type": "string", "format": "uuid"}, True)],
                    "post": _operation(
                        "push",
                        "Hand over facts in order, or none of them: a heartbeat. May be gzip",
                        body=schema[Push],
                        answers={"200": _answer("Stored, durably, and judged", schema[PushAnswer])},
                        refusals=("400", "401", "403", "409", "413", "415", "422", "426", "503"),
                        problem=schema[Problem],
                    ),
                },
                "/api/v1/feed": {
                    "get": _operation(
                        "pull",
                        "What changed after a position",
                        parameters=[
                            _parameter("epoch", "query", {"type": "string", "description": "A UUID, or empty"}),
                            _parameter("after", "query", {"type": "integer", "minimum": 0, "default": 0}),
                            _parameter("mark", "query", {"type": "string", "description": "A UUID, or empty"}),
                        ],
                        answers={
                            "200": _answer("The next page", schema[FeedPage]),
                            "304": {"description": "Nothing new"},
                        },
                        refusals=("401", "403", "422", "503"),
                        problem=schema[Problem],
                    )
                },
                "/api/v1/feed/digests": {
                    "get": _operation(
                        "digests",
                        "What a roster that has caught up is made of",
                        answers={"200": _answer("A sum for each bucket", schema[Digests])},
                        refusals=("401", "403", "503"),
                        problem=schema[Problem],
                    )
                },
                "/api/v1/feed/buckets/{number}": {
                    "get": _operation(
                        "bucket",
                        "Everything in one bucket of the roster",
                        parameters=[
                            _parameter("number", "path", {"type": "integer", "minimum": 0, "maximum": 255}, True)
                        ],
                        answers={"200": _answer("The bucket", schema[Bucket])},
                        refusals=("401", "403", "404", "422", "503"),
                        problem=schema[Problem],
                    )
                },
            },
            "components": {
                "schemas": schemas,
                "securitySchemes": {"kiosk": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _operation(
    name: str,
    summary: str,
    *,
    answers: dict[str, Any],
    refusals: tuple[str, ...],
    problem: dict[str, Any],
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    secured: bool = True,
) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": name, "summary": summary}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    operation["responses"] = answers | {
        status: _answer(REFUSALS[status], problem, "application/problem+json") for status in refusals
    }
    operation["security"] = [{"kiosk": []}] if secured else []
    return operation


def _answer(description: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _parameter(name: str, place: str, schema: dict[str, Any], required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}
