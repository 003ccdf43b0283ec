"""The headers every answer carries. Each one is chosen here; no preset of the library is used."""

from collections.abc import Collection, Mapping

from flask import Flask, Response
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    XContentTypeOptions,
    XFrameOptions,
)

Sources = Mapping[str, tuple[str, ...]]

# `data:` images are the icons inside Pico's style sheet.
_CSP: Sources = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "connect-src": ("'self'",),
    "font-src": ("'self'",),
    "media-src": ("'self'",),
    "manifest-src": ("'self'",),
    "worker-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
}

_SWITCHED_OFF = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)


def content_security_policy(extra: Sources | None = None) -> str:
    """The policy as a header value; `extra` adds sources to what is already allowed.

    A single page that needs more sets the header itself with this, and keeps the rest strict.
    """
    return _policy(extra).header_value


def permissions_policy(allowed: Collection[str] = ()) -> str:
    """The policy as a header value: everything is switched off but what is `allowed`, and that for this very site."""
    return _permissions(allowed).header_value


def secure_headers(app: Flask, *, extra_csp: Sources | None = None) -> None:
    """Sets the security headers on every answer, errors included, and lets nothing be stored.

    What a view sets itself stands: a page with a camera, a file that may be cached.
    There is no Strict-Transport-Security here: a kiosk speaks plain HTTP to itself, and at the
    office the proxy that holds the certificate says it.
    """
    headers = Secure(
        csp=_policy(extra_csp),
        coop=CrossOriginOpenerPolicy().same_origin(),
        permissions=_permissions(),
        # Not no-referrer: over HTTPS Flask-WTF refuses a form that comes without a referrer of
        # this very site. Other sites learn nothing by this policy either.
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    ).headers

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        # Flask gives static files a Cache-Control of their own; anything else may hold a name.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _permissions(allowed: Collection[str] = ()) -> PermissionsPolicy:
    permissions = PermissionsPolicy()
    for feature in _SWITCHED_OFF:
        permissions.add_directive(feature, *(("self",) if feature in allowed else ()))
    return permissions


def _policy(extra: Sources | None) -> ContentSecurityPolicy:
    extra = extra or {}
    policy = ContentSecurityPolicy()
    for directive in {**_CSP, **extra}:
        policy.custom_directive(directive, *_CSP.get(directive, ()), *extra.get(directive, ()))
    return policy
