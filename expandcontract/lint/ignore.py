"""Comments that pass over findings: ``# ec: ignore EC204 because the table is empty until the next release``."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from expandcontract.core.revision import Ignore

MARK = re.compile(r"#\s*ec:\s*ignore\b(?P<rest>.*)", re.IGNORECASE)
CODE = re.compile(r"EC\d{3}|squawk:[a-z-]+")
REASON = re.compile(r"\bbecause\b\s*(?P<reason>\S.*)", re.IGNORECASE)


def ignores(source: str) -> tuple[Ignore, ...]:
    """The comments of a file that pass over findings, first to last; strings that look like one are none."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not (mark := MARK.search(token.string)):
            continue
        reason = REASON.search(mark["rest"])
        codes = tuple(CODE.findall(mark["rest"][: reason.start()] if reason else mark["rest"]))
        found.append(Ignore(line=token.start[0], codes=codes, reason=reason["reason"].strip() if reason else ""))
    return tuple(found)


def reach(source: str, line: int) -> range:
    """The lines where a comment about ``line`` may stand: its statement's, and whole comment lines right above."""
    begin, end = line, line
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    around = [node for node in nodes if node.lineno <= line <= _last(node)]
    if around:
        inmost = max(around, key=lambda node: node.lineno)
        begin, end = inmost.lineno, _last(inmost)
    rows = source.splitlines()
    while begin > 1 and rows[begin - 2].lstrip().startswith("#"):
        begin -= 1
    return range(begin, end + 1)


def _last(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    # of a function or block only the head is about the line; what stands in it has comments of its own
    return body[0].lineno - 1 if body and body[0].lineno > node.lineno else node.end_lineno or node.lineno
