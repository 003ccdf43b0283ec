"""Finding people by name, however it is typed. Pure.

Folding is for search only: two people whose names fold to the same letters stay two people.
"""

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest

from anyascii import anyascii

from sync.directory import Line

AT_MOST = 20
"""People shown for one query."""
LONGEST_QUERY = 100
"""Characters of a query that are looked at."""

_BLANKS = re.compile(r"[\s,;/()]+")
_JOINTS = re.compile(r"[-‐‑‒–'’‘ʼ`.·]+")
_LETTERS = str.maketrans(
    {"ø": "o", "œ": "oe", "æ": "ae", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n"}
)


def fold(text: str) -> str:
    """The text without case and accents; letters with no accent to take away become their plain neighbours."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if unicodedata.category(char) != "Mn").translate(_LETTERS)


def words(folded: str) -> tuple[str, ...]:
    """What somebody may be found by: each word, the parts of a joined one, and those run together."""
    found: dict[str, None] = {}
    for word in _BLANKS.split(folded):
        parts = [part for part in _JOINTS.split(word) if part]
        found.update(dict.fromkeys(parts))
        if len(parts) > 1:
            found["".join(parts)] = None
    return tuple(found)


def _findable(name: str, line: Line) -> tuple[str, ...]:
    # Whoever searches may not have the keys of another script: Смирнова is found as smirn.
    spelled = "" if name.isascii() else anyascii(f"{line.name} {line.also}").lower()
    return tuple(dict.fromkeys(words(f"{name} {fold(line.also)} {spelled}")))


def asked(query: str) -> list[str]:
    """The words of a query: each must begin one of a person's."""
    every = _JOINTS.sub(" ", _BLANKS.sub(" ", fold(query[:LONGEST_QUERY])))
    return every.split()


@dataclass(frozen=True, slots=True)
class Hits:
    """The best of who was found, as places in the list that was indexed; and how many more there are."""

    places: list[int]
    more: int


class Index:
    """The names of many people, ready to be asked. Made once, it never changes."""

    def __init__(self, lines: Sequence[Line]) -> None:
        sortable = [(fold(line.name), line.year, line.hint, place) for place, line in enumerate(lines)]
        sortable.sort()
        # People are numbered in the order of their names, so that whose names begin alike are neighbours.
        self._places = array("I", [each[3] for each in sortable])
        self._names = [each[0] for each in sortable]
        whose: dict[str, list[int]] = {}
        for number, (name, *_, place) in enumerate(sortable):
            for word in _findable(name, lines[place]):
                whose.setdefault(word, []).append(number)
        self._vocabulary = sorted(whose)
        self._whose = [array("I", whose[word]) for word in self._vocabulary]

    def find(self, query: str, at_most: int = AT_MOST) -> Hits:
        """Whoever has a word that begins with each word of the query, in any order; nobody for an empty query.

        Whole words come before beginnings, names that begin with the query before others, then the order of names.
        """
        wanted = asked(query)
        if not wanted:
            return Hits([], 0)
        numbers = set.intersection(*(self._beginning(word) for word in wanted))
        best = self._best(numbers, wanted, at_most)
        return Hits([self._places[number] for number in best], len(numbers) - len(best))

    def _beginning(self, prefix: str) -> set[int]:
        low = bisect_left(self._vocabulary, prefix)
        high = bisect_left(self._vocabulary, _after(prefix), low)
        return set().union(*self._whose[low:high])

    def _exactly(self, word: str) -> set[int]:
        place = bisect_left(self._vocabulary, word)
        known = place < len(self._vocabulary) and self._vocabulary[place] == word
        return set(self._whose[place]) if known else set()

    def _best(self, numbers: set[int], wanted: list[str], at_most: int) -> list[int]:
        exact = [self._exactly(word) & numbers for word in wanted]
        whole = set().union(*exact)
        begins = " ".join(wanted)
        first, last = bisect_left(self._names, begins), bisect_left(self._names, _after(begins))

        def rank(number: int) -> tuple[int, bool, int]:
            return -sum(number in each for each in exact), not first <= number < last, number

        best = nsmallest(at_most, whole, key=rank)
        # One letter finds a fifth of everybody: whoever has no whole word of it is not ranked one by one.
        rest = numbers - whole
        beginning = {number for number in range(first, last) if number in rest}
        best += nsmallest(at_most - len(best), beginning)
        return best + nsmallest(at_most - len(best), rest - beginning)


def _after(prefix: str) -> str:
    # Greater than whatever begins with the prefix: no name holds the last of all code points.
    return prefix + "\U0010ffff"
