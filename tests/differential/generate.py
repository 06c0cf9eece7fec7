"""Random sequences, mostly valid: templates of an area filled in with what earlier steps have made."""

from __future__ import annotations

import random
import re

from tests.differential.areas import AREAS, PRELUDES, WORDS
from tests.differential.script import Script, Step, parse_step

_WORD = re.compile(r"\{(\w+)\}")
_NEW = re.compile(r"\{\+(\w+)(?::(\w+),(\w+))?\}")
STEPS = 14
RELATED = {"file": "dir", "dir": "file", "ev": "tf", "tf": "ev", "sock": "pr", "pr": "file", "pw": "file", "ep": "ev"}


class Generator:
    """Writes one sequence."""

    def __init__(self, area: str, chance: random.Random) -> None:
        self.templates, self.preludes, self.forks = AREAS[area]
        self.weights = [weight for weight, _ in self.templates]
        self.chance = chance
        self.results: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}

    def script(self) -> Script:
        """The sequence."""
        steps = [self.step(PRELUDES[name]) for name in self.preludes if self.chance.random() < 0.8]
        return Script(steps + self.steps(self.chance.randint(2, STEPS), 0))

    def steps(self, count: int, depth: int) -> list[Step]:
        found: list[Step] = []
        while count > 0:
            count -= 1
            if depth < 2 and self.chance.randrange(100) < self.forks:
                found.append(self.fork(depth))
            else:
                found.append(self.step(self.chance.choices(self.templates, self.weights)[0][1]))
        return found

    def fork(self, depth: int) -> Step:
        name = self.name("child")
        inside = {kind: list(names) for kind, names in self.results.items()}
        before, self.results = self.results, inside
        step = Step("fork", [], name, self.steps(self.chance.randint(1, 5), depth + 1))
        self.results = before
        self.results.setdefault("child", []).append(name)
        return step

    def name(self, kind: str) -> str:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{kind}{self.counts[kind]}"

    def step(self, template: str) -> Step:
        made = _NEW.match(template)
        text = template
        while found := _WORD.search(text):
            text = text[: found.start()] + self.word(found[1]) + text[found.end() :]
        if made:
            kind, first, second = made.groups()
            name = self.name(kind)
            text = _NEW.sub(name, text)
            for of, reference in [(first, f"{name}[0]"), (second, f"{name}[1]")] if first else [(kind, name)]:
                self.results.setdefault(of, []).append(reference)
        return parse_step(text)

    def word(self, word: str) -> str:
        if word in WORDS:
            return self.chance.choice(WORDS[word])
        names = self.results.get(word) or self.results.get(RELATED.get(word, "")) or []
        if not names or self.chance.random() < 0.02:
            return "GONE" if word == "child" else self.chance.choice(["-1", "3", "4"])
        return self.chance.choice(names[-4:])


def generate(area: str, seed: int, count: int) -> list[Script]:
    """`count` sequences of an area; the same for the same seed."""
    return [Generator(area, random.Random(f"{area}/{seed}/{index}")).script() for index in range(count)]
