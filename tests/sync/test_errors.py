"""Errors say what may be done next; their codes are stable, and so they are written down here a second time."""

from sync import errors


def every_error(root: type[errors.CheckinError]) -> list[type[errors.CheckinError]]:
    return [root, *(each for child in root.__subclasses__() for each in every_error(child))]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in every_error(errors.CheckinError)]
    assert len(set(codes)) == len(codes)


def test_the_codes_that_databases_and_screens_know_have_not_changed() -> None:
    assert {error.code for error in every_error(errors.CheckinError)} >= {
        "bad_pattern",
        "code_refused",
        "device_revoked",
        "device_unknown",
        "foreign_stream",
        "fork",
        "gap",
        "hub_busy",
        "hub_mismatch",
        "hub_unreachable",
        "not_our_hub",
        "proto_too_old",
        "refused",
        "too_large",
        "try_later",
        "unreadable",
    }


def test_an_error_is_either_a_refusal_or_an_invitation_to_try_later() -> None:
    for error in every_error(errors.CheckinError)[1:]:
        assert issubclass(error, errors.Refused) != issubclass(error, errors.TryLater)


def test_an_error_without_detail_still_says_its_code() -> None:
    assert str(errors.DeviceRevoked()) == "device_revoked"
