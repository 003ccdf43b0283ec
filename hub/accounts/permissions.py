"""Pages ask here, and nowhere else, what whoever is signed in may do."""

from collections.abc import Callable
from typing import ParamSpec

from flask.typing import ResponseReturnValue
from flask_security import auth_required, current_user, permissions_required

_P = ParamSpec("_P")
View = Callable[_P, ResponseReturnValue]


def may(permission: str) -> bool:
    """Whether whoever is signed in may do this (`hub.rules.roles`); a stranger may nothing."""
    return bool(current_user and current_user.is_authenticated and current_user.has_permission(permission))


def needs(permission: str) -> Callable[[View[_P]], View[_P]]:
    """Keep a page from those who may not: strangers are sent to sign in, others are refused (403)."""

    def guarded(view: View[_P]) -> View[_P]:
        checked: View[_P] = permissions_required(permission)(view)
        signed_in: View[_P] = auth_required("session")(checked)
        return signed_in

    return guarded
