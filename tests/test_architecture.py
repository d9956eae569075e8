"""What keeps the code small and its parts apart, as far as a test can measure it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from app.settings import ROOT

MODULES = sorted((ROOT / "app").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMMITS = ("app/web/", "app/api/", "app/jobs/", "app/cli.py", "app/db.py", "app/up.py", "app/processes.py")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_functions_are_short():
    lengths = [length(function) for path in MODULES for function in functions(path)]
    assert median(lengths) < 10
    assert quantiles(lengths, n=10)[8] <= 25
    assert max(lengths) <= 60


def test_files_are_read_in_one_sitting():
    assert {name_of(path) for path in MODULES if len(path.read_text().splitlines()) > 400} == set()


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(path)
        for path in MODULES
        if path.read_text() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_only_the_edges_commit():
    committing = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    assert {name for name in committing if not name.startswith(COMMITS)} == set()


def test_only_the_settings_read_the_environment():
    readers = {name_of(path) for path in MODULES if re.search(r"os\.environ|getenv", path.read_text())}
    assert readers == {"app/settings.py"}


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager"])
def test_no_module_is_named_after_nothing(word):
    assert [name_of(path) for path in MODULES if word in path.stem] == []


def test_templates_are_short():
    limits = {path: 60 if path.name.startswith("_") else 100 for path in TEMPLATES}
    long = {
        name_of(path): limit for path, limit in limits.items() if len(path.read_text().splitlines()) > limit
    }
    assert long == {}


def test_templates_hold_no_script_and_no_style_of_their_own():
    """The policy that every page is sent with forbids both."""
    signs = re.compile(r"hx-on|<script>|\bon[a-z]+=|javascript:|<style|\sstyle=", re.IGNORECASE)
    pages = [
        path for path in TEMPLATES if "messages" not in path.relative_to(ROOT).parts[:2]
    ]  # mails need styles
    guilty = [name_of(path) for path in pages if signs.search(without_expressions(path.read_text()))]
    assert guilty == []


def without_expressions(template: str) -> str:
    return re.sub(r"{{.*?}}|{%.*?%}|{#.*?#}", "", template, flags=re.DOTALL)


def test_the_readme_leads_to_every_page_of_the_documentation():
    readme = (ROOT / "README.md").read_text()
    pages = [name_of(path) for path in (ROOT / "docs").glob("*.md")]
    assert [page for page in pages if f"]({page})" not in readme] == []
