"""strace's way of writing values, read back: text becomes the same small tree that decoding makes (value.py).

The text does not say what a number is; the declarations do (normalize.py). What cannot be taken apart stays words.
"""

from __future__ import annotations

import re

from emu.trace.value import Address, Change, Fd, Hex, Int, Labelled, List, Note, Octal, Str, Struct, Value, Words

_NUMBER = re.compile(r"0x[0-9a-f]+|-?[1-9][0-9]*|0[0-7]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=(?!=)")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_OPENING, _CLOSING = "([{", ")]}"
CUT = "..."


class ScanError(ValueError):
    """The text ends too early, or is no value."""


class Scanner:
    """Reads values from a text, from `pos` on."""

    def __init__(self, text: str, pos: int = 0) -> None:
        self.text = text
        self.pos = pos

    def skip(self, word: str) -> bool:
        """Go past `word` if it comes next."""
        if self.text.startswith(word, self.pos):
            self.pos += len(word)
            return True
        return False

    def blanks(self) -> None:
        """Go past blanks."""
        while self.text.startswith(" ", self.pos):
            self.pos += 1

    def items(self, end: str) -> list[Value]:
        """Values between commas, up to and including the character `end`."""
        found: list[Value] = []
        while True:
            self.blanks()
            if self.skip(end):
                return found
            if self.pos >= len(self.text):
                raise ScanError("it ends before its last bracket")
            found.append(self.item())
            self.blanks()
            if self.pos < len(self.text) and not self.skip(",") and not self.text.startswith(end, self.pos):
                raise ScanError(f"unexpected {self.text[self.pos : self.pos + 10]!r}")

    def item(self) -> Value:
        """One value up to a comma or the bracket around it; what is not understood is kept as words."""
        start = self.pos
        label = _LABEL.match(self.text, self.pos)
        if label:
            self.pos = label.end()
            return Labelled(label.group()[:-1], self.item())
        value = self._suffixes(self._value())
        if self._at_end():
            return value
        self.pos = start
        return Words(self._raw(), 0)

    def _value(self) -> Value:
        text = self.text
        if text.startswith('"', self.pos):
            return self._string()
        if self.skip("["):
            return self._list()
        if self.skip("{"):
            return self._struct()
        number = self.number()
        if number is not None:
            return number
        if self.skip("NULL"):
            return Address(0)
        if self.skip("AT_FDCWD"):
            return self._described(Fd(-100, directory=True))
        return Words(self._raw(), 0)

    def number(self) -> Value | None:
        """A number, and what stands behind it with -y; None, and nothing read, if something else comes next."""
        number = _NUMBER.match(self.text, self.pos)
        if number is None or self.text[number.end() : number.end() + 1].isalnum():
            return None
        self.pos = number.end()
        return self._described(number_of(number.group()))

    def _described(self, value: Value) -> Value:
        """-y and -Y: `3</etc/passwd>`, `1000<bash>`."""
        if not self.skip("<"):
            return value
        end = self.text.find(">", self.pos)
        while end > 0 and self.text.startswith("->", end - 1):  # <TCP:[127.0.0.1:80->127.0.0.1:5]>
            end = self.text.find(">", end + 1)
        if end < 0:
            raise ScanError("it ends within a path")
        path = unescape(self.text[self.pos : end])
        nested = self.text[self.pos : end].count("<")
        self.pos = end + 1
        for _ in range(nested):  # </dev/null<char 1:3>>
            self.skip(">")
        if self.skip("(deleted)"):
            path += b" (deleted)"
        number = value.value if isinstance(value, Int | Fd | Hex | Octal) else 0
        return Fd(number, path, directory=isinstance(value, Fd))

    def _string(self) -> Value:
        end = self.pos + 1
        while end < len(self.text) and self.text[end] != '"':
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise ScanError("it ends within a string")
        data = unescape(self.text[self.pos + 1 : end])
        self.pos = end + 1
        return Str(data, cut=self.skip(CUT))

    def _list(self) -> Value:
        items = self.items("]")
        bad = items[-1] if items else None
        if isinstance(bad, Note | Words) and _is_cut(bad):
            del items[-1]
            return List(tuple(items), cut=True)
        return List(tuple(items))

    def _struct(self) -> Value:
        fields: list[tuple[str, Value]] = []
        brief = False
        for item in self.items("}"):
            if isinstance(item, Words) and item.text == CUT:
                brief = True
            else:
                fields.append((item.label, item.value) if isinstance(item, Labelled) else ("", item))
        return Struct(tuple(fields), tuple(name for name, _ in fields) if brief else None)

    def _suffixes(self, value: Value) -> Value:
        """Comments, and what a call has made of the value."""
        while True:
            if self.skip(" /* "):
                end = self.text.find(" */", self.pos)
                if end < 0:
                    raise ScanError("it ends within a comment")
                value = Note(value, self.text[self.pos : end])
                self.pos = end + 3
            elif self.skip(" => "):
                value = Change(value, self.item())
            else:
                return value

    def _at_end(self) -> bool:
        rest = self.text[self.pos : self.pos + 1]
        return not rest or rest in ",)]}"

    def _raw(self) -> str:
        """Everything up to the comma or bracket that ends this item."""
        start, depth, text = self.pos, 0, self.text
        while self.pos < len(text):
            c = text[self.pos]
            if c == '"':
                self._string()
                continue
            if c in _OPENING:
                depth += 1
            elif c in _CLOSING:
                if not depth:
                    break
                depth -= 1
            elif (c == "," or text.startswith((" /* ", " => "), self.pos)) and not depth:
                break
            self.pos += 1
        if depth:
            raise ScanError("it ends before its last bracket")
        return text[start : self.pos]


def _is_cut(value: Note | Words) -> bool:
    """`...`, and `... /* 0x1000 */` for what could not be read."""
    inner = value.value if isinstance(value, Note) else value
    return isinstance(inner, Words) and inner.text == CUT


def number_of(text: str) -> Value:
    """A number by how it is written."""
    if text.startswith("0x"):
        number = int(text, 16)
        return Hex(number) if f"{number:#x}" == text else Words(text, number)
    return Octal(int(text, 8)) if text.startswith("0") and text != "0" else Int(int(text))


def unescape(text: str) -> bytes:
    """The bytes of a string between its quotes."""
    data = text.encode("utf-8", "surrogateescape")
    if b"\\" not in data:
        return data

    def one(match: re.Match[bytes]) -> bytes:
        what = match.group(1)
        if what[:1] == b"x" and len(what) == 3:
            return bytes([int(what[1:], 16)])
        if what.isdigit():
            return bytes([int(what, 8) & 0xFF])
        return _LETTERS.get(what, what)

    return _ESCAPE.sub(one, data)


def parse_value(text: str) -> Value:
    """A whole text as one value."""
    scanner = Scanner(text)
    try:
        value = scanner.item()
    except ScanError:
        return Words(text, 0)
    return value if scanner.pos == len(text) else Words(text, 0)
