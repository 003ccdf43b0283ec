"""The least a Flask view can do; `app` is for gunicorn."""

from flask import Flask


def add_hello(app: Flask) -> Flask:
    """GET /hello says so."""

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    return app


app = add_hello(Flask("hello"))
