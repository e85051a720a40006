"""The pages of the documentation as a reader gets them: headings, links, blocks and the commands in them.

Read by a CommonMark parser, so that what a test sees is what a browser shows. Anchors are made as GitHub makes them.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

CHECKOUT = Path(__file__).parents[2]
#: How commands that are checked begin.
FEDROUND = ("fedround", ".venv/bin/fedround")
PYTHON = ("python", ".venv/bin/python")
PROGRAMS = (*FEDROUND, *PYTHON, "helm", "kubectl", "make")
#: What a reader's machine has: only that it is called is known of it.
FOREIGN = ("aws", "buildah", "docker", "export")
_SHELL = "sh"
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code. `language` is empty for one that is only indented; `section` is the heading above it."""

    language: str
    text: str
    line: int
    section: str


@dataclass(frozen=True)
class Command:
    """A command line of a page, as words. `prose` is set for one in running text, which may be abbreviated."""

    page: str
    line: int
    section: str
    words: tuple[str, ...]
    prose: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {shlex.join(self.words)}"


@dataclass(frozen=True)
class Page:
    """One file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(CHECKOUT).as_posix()

    @cached_property
    def _tokens(self) -> Sequence[Token]:
        return _PARSER.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def _inline(self) -> Sequence[tuple[int, Token]]:
        """(line, token) of all that stands in running text, headings and tables."""
        return [
            (token.map[0] + 1, child)
            for token in self._tokens
            if token.type == "inline" and token.map
            for child in token.children or ()
        ]

    @cached_property
    def headings(self) -> Sequence[str]:
        """Their texts, in order."""
        return [_text(after) for token, after in self._pairs() if token.type == "heading_open"]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Where a link into the page can lead."""
        uses: Counter[str] = Counter()
        found = set()
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            found.add(f"{slug}-{uses[slug]}" if uses[slug] else slug)
            uses[slug] += 1
        return frozenset(found)

    @cached_property
    def links(self) -> Sequence[str]:
        """All targets of links and images, written in Markdown or HTML."""
        inline = [token for _, token in self._inline]
        targets = [str(token.attrs[name]) for token in inline for name in ("href", "src") if name in token.attrs]
        html = "".join(token.content for token in self._tokens if token.type == "html_block")
        html += "".join(token.content for token in inline if token.type == "html_inline")
        return [*targets, *_html_targets(html)]

    @cached_property
    def blocks(self) -> Sequence[Block]:
        """All blocks of code."""
        section, found = "", []
        for token, after in self._pairs():
            if token.type == "heading_open":
                section = _text(after)
            if token.type in ("fence", "code_block") and token.map:
                first = token.map[0] + (2 if token.type == "fence" else 1)
                found.append(Block(token.info.strip(), token.content, first, section))
        return found

    @cached_property
    def codes(self) -> Sequence[tuple[int, str]]:
        """(line, text) of code in running text."""
        return [(line, token.content) for line, token in self._inline if token.type == "code_inline"]

    def commands(self) -> Iterator[Command]:
        """Every command line of the page: each line of a shell block, and elsewhere what begins like one of ours."""
        for block in self.blocks:
            for number, line in enumerate(_joined(block.text), start=block.line):
                words = tuple(shlex.split(line.removeprefix("$ "), comments=True)) if _is_shell(block, line) else ()
                if words:
                    yield Command(self.name, number, block.section, words)
        for number, code in self.codes:
            words = tuple(code.split())
            if len(words) > 1 and words[0] in PROGRAMS:
                yield Command(self.name, number, "", words, prose=True)

    def rows(self, section: str) -> Sequence[Sequence[str]]:
        """The cells of the table below a heading, without its head; code in them as it is written."""
        found: list[list[str]] = []
        inside = False
        for token, after in self._pairs():
            if token.type == "heading_open":
                inside = _text(after) == section
            if inside and token.type == "tr_open":
                found.append([])
            if inside and token.type == "td_open":
                found[-1].append(after.content)
        return [row for row in found if row]

    def _pairs(self) -> Iterator[tuple[Token, Token]]:
        """Each token with the one after it, which has the text of a heading or cell."""
        return zip(self._tokens, [*self._tokens[1:], Token("", "", 0)], strict=True)


def pages() -> Sequence[Page]:
    """All pages of the checkout."""
    named = [CHECKOUT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")]
    return [Page(path) for path in (*named, *sorted((CHECKOUT / "docs").glob("*.md")))]


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _is_shell(block: Block, line: str) -> bool:
    """An indented block may hold anything: there only what begins like a command is one."""
    begins = line.removeprefix("$ ").split(maxsplit=1)[:1]
    return block.language == _SHELL or (not block.language and bool(begins) and begins[0] in PROGRAMS)


def _joined(text: str) -> Iterator[str]:
    """Lines, those that end with a backslash together with the next. The numbers of later lines stay right."""
    pending = ""
    for line in text.splitlines():
        if line.endswith("\\"):
            pending += line[:-1]
            yield ""
        else:
            yield pending + line
            pending = ""


def _html_targets(html: str) -> Sequence[str]:
    found: list[str] = []

    class Targets(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attrs if name in ("href", "src") and value)

    Targets().feed(html)
    return found
