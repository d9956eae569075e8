"""What of a stack frame says where an error came from: a place, a function and a source line.

Never line numbers, columns, absolute paths, variables or addresses: they change while the error stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from app.domain.stacks import JAVASCRIPT, NATIVE

_SOURCE_PLATFORMS = frozenset({"python", "javascript", "node", "php", "ruby"})
_MAX_SOURCE_LINE = 120
_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".vue", ".svelte", ".bundle")
_NO_FUNCTION = frozenset({"", "?", "<anonymous>", "eval", "<unknown>", "<redacted>"})
_NO_PLACE = frozenset({"", "<anonymous>", "[native code]"})

_CONTENT_HASH = re.compile(r"(?<![0-9A-Za-z])(?=[a-f]*[0-9])[0-9a-f]{7,40}(?![0-9A-Za-z])")
_SEPARATORS = re.compile(r"[/\\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:|data:|blob:")


class Part(NamedTuple):
    """Empty texts are parts that the frame does not have."""

    where: str
    function: str
    source: str

    def __str__(self) -> str:
        return " ".join(part for part in self if part)


def part_of(frame: dict[str, Any], platform: str) -> Part:
    get = frame.get
    return _part(
        get("platform") or platform,
        get("module") or "",
        get("filename") or "",
        get("abs_path") or "",
        get("function") or get("raw_function") or "",
        get("context_line") or "",
    )


def is_url(location: str) -> bool:
    return _SCHEME.match(location) is not None


@lru_cache(maxsize=8192)
def _part(
    platform: str, module: str, filename: str, abs_path: str, raw_function: str, context_line: str
) -> Part:
    function = _function(raw_function, platform)
    script_url = platform in JAVASCRIPT and is_url(abs_path)
    source = "" if script_url and not function else _source(context_line, platform)
    return Part(_where(platform, module, filename, abs_path), function, source)


def _source(context_line: str, platform: str) -> str:
    if platform not in _SOURCE_PLATFORMS:
        return ""
    collapsed = " ".join(context_line.split())
    return collapsed if len(collapsed) <= _MAX_SOURCE_LINE else ""


def _where(platform: str, module: str, filename: str, abs_path: str) -> str:
    base_name = _base_name(filename, abs_path)
    if module == "__main__":
        return f"__main__:{base_name}"
    if platform == "javascript" and _repeats_path(module, filename):
        module = ""
    if platform == "java":
        module = _java_module(module)
    return _CONTENT_HASH.sub("<hash>", module) or base_name


def _base_name(filename: str, abs_path: str) -> str:
    """Of a URL only the name of a script: a page's path would split one error over all its pages."""
    location = (abs_path if is_url(abs_path) else filename).partition("?")[0].partition("#")[0]
    if filename in _NO_PLACE or location in _NO_PLACE:
        return ""
    name = _SEPARATORS.split(location)[-1].lower()
    if is_url(location) and not name.endswith(_SCRIPTS):
        return ""
    return _CONTENT_HASH.sub("<hash>", name)


def _repeats_path(module: str, filename: str) -> bool:
    path = filename.partition("?")[0]
    stem = path.rpartition(".")[0] or path
    return bool(module) and stem.replace("\\", "/").endswith(module.replace(":", "/").replace(".", "/"))


_JAVA_LAMBDA = re.compile(r"\$\$Lambda.*")
_JAVA_ACCESSOR = re.compile(r"(Generated\w+Accessor)[0-9]+")
_JAVA_CGLIB = re.compile(r"\$\$\w*CGLIB\$\$[0-9a-zA-Z]*")


def _java_module(module: str) -> str:
    module = _JAVA_LAMBDA.sub("", module)
    module = _JAVA_ACCESSOR.sub(r"\1", module)
    return _JAVA_CGLIB.sub("", module)


_JAVASCRIPT_WORDS = re.compile(r"^(?:(?:new|async) )+")
_JAVASCRIPT_ALIAS = re.compile(r" \[as [^\]]*\]$")
_RUBY_SURROUNDINGS = re.compile(r"^(?:(?:block(?: \([0-9]+ levels\))?|rescue|ensure) in )+")
_RUBY_TEMPLATE = re.compile(r"__+-?[0-9]+_[0-9]+$")
_GO_CLOSURE = re.compile(r"\.func[0-9]+(?:\.[0-9]+)*")
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")


def _javascript(function: str) -> str:
    function = _JAVASCRIPT_ALIAS.sub("", _JAVASCRIPT_WORDS.sub("", function))
    return function.rpartition(".")[2]


def _ruby(function: str) -> str:
    return _RUBY_TEMPLATE.sub("", _RUBY_SURROUNDINGS.sub("", function))


def _go(function: str) -> str:
    return _GO_CLOSURE.sub(".func", function)


def _java(function: str) -> str:
    return "" if function.startswith("lambda$") else function


def _php(function: str) -> str:
    return function.rpartition("::")[2] if function.startswith("class@anonymous") else function


def without_arguments(function: str) -> str:
    """A native function's name without its argument list and the hash that Rust appends."""
    function = _RUST_HASH.sub("", function.strip()).removesuffix(" const")
    if not function.endswith(")"):
        return function
    depth = 0
    for index in range(len(function) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(function[index], 0)
        if depth == 0:
            return function[:index].rstrip() or function
    return function


_FUNCTION_RULES: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(JAVASCRIPT, _javascript),
    **dict.fromkeys(NATIVE, without_arguments),
    "ruby": _ruby,
    "go": _go,
    "java": _java,
    "php": _php,
}


def _function(name: str, platform: str) -> str:
    rule = _FUNCTION_RULES.get(platform)
    name = rule(name) if rule else name
    return "" if name in _NO_FUNCTION else name
