import re
from itertools import product
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "ui" / "static" / "tokens.css").read_text("utf-8")


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


DARK_BLOCK = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?)\n\}", CSS, re.DOTALL)
assert DARK_BLOCK is not None
LIGHT = colours(CSS.replace(DARK_BLOCK[0], ""))
DARK = colours(DARK_BLOCK[1])

TEXTS = ("text", "text-muted", "accent", "accent-hover", "good", "caution", "bad")
PAIRS = [
    *((text, ground, 4.5) for text, ground in product(TEXTS, ("surface", "surface-raised"))),
    *((tone, f"{tone}-soft", 4.5) for tone in ("good", "caution", "bad")),
    *(("text", f"{tone}-soft", 4.5) for tone in ("good", "caution", "bad")),
    *((f"on-{tone}", tone, 4.5) for tone in ("accent", "good", "caution", "bad")),
    ("on-accent", "accent-hover", 4.5),
    *((line, ground, 3.0) for line, ground in product(("border-strong", "focus"), ("surface", "surface-raised"))),
]


def luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        part = channel / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_guidelines_do() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("front", "ground", "enough"), PAIRS)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_written_can_be_read_by_light_and_by_dark(
    palette: dict[str, str], front: str, ground: str, enough: float
) -> None:
    assert contrast(palette[front], palette[ground]) >= enough


def test_dark_speaks_of_every_colour_that_light_does() -> None:
    assert DARK.keys() == LIGHT.keys()
