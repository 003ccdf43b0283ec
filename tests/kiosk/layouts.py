"""Keyboards, as the characters their keys give: what a scanner means on one of them, a device reads on another."""

# Row by row, the keys beside the same fingers: unshifted, then shifted. A dead key is written as DEAD.
DEAD = "\0"

QWERTY = (
    "1234567890-=" + "qwertyuiop" + "asdfghjkl;'" + "zxcvbnm,./",
    "!@#$%^&*()_+" + "QWERTYUIOP" + 'ASDFGHJKL:"' + "ZXCVBNM<>?",
)
AZERTY = (
    "&é\"'(-è_çà)=" + "azertyuiop" + "qsdfghjklmù" + "wxcvbn,;:!",
    "1234567890°+" + "AZERTYUIOP" + "QSDFGHJKLM%" + "WXCVBN?./§",
)
BELGIAN = (
    "&é\"'(§è!çà)-" + "azertyuiop" + "qsdfghjklmù" + "wxcvbn,;:=",
    "1234567890°_" + "AZERTYUIOP" + "QSDFGHJKLM%" + "WXCVBN?./+",
)
QWERTZ = (
    f"1234567890ß{DEAD}" + "qwertzuiop" + "asdfghjklöä" + "yxcvbnm,.-",
    f'!"§$%&/()=?{DEAD}' + "QWERTZUIOP" + "ASDFGHJKLÖÄ" + "YXCVBNM;:_",
)
LAYOUTS = {"AZERTY": AZERTY, "Belgian": BELGIAN, "QWERTZ": QWERTZ, "QWERTY": QWERTY}


def typed(text: str, layout: tuple[str, str], scanner: tuple[str, str] = QWERTY) -> str:
    """What a device with that layout reads when a scanner sends the keys that mean `text` on its own.

    A dead key waits for the next: before a blank it gives its accent, before anything else it is lost here. A character
    the scanner has no key for is not sent.
    """
    keys = {
        char: key for meant, read in zip(scanner, layout, strict=True) for char, key in zip(meant, read, strict=True)
    }
    keys[" "] = " "
    got = "".join(keys.get(char, "") for char in text)
    return got.replace(DEAD + " ", "´").replace(DEAD, "")
