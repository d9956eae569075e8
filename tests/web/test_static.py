"""What the browser gets: vendored code as published, budgets, templates that a strict policy can serve."""

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
PAGES = [path for path in (ROOT / "templates").rglob("*.html") if "messages" not in path.parts]
PACKAGES = json.loads((STATIC / "vendor/vendor.lock.json").read_text())["packages"]
STYLES = (STATIC / "css/tocsin.css").read_text()

FORBIDDEN = {
    "hx-on needs eval": r"\bhx-on[:-]",
    "a trigger filter needs eval": r"hx-trigger[\w:]*=\"[^\"]*\[",
    "js: needs eval": r"\"\s*(?:js|javascript):",
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an inline style": r"<style\b|<[a-z][^<>]*\sstyle=\"",
    "an inline handler": r"<[^>]*\son[a-z]+=\"",
    "an address elsewhere": r"(?:src|action|href)=\"(?:https?:)?//",
}
TEXT = ["ink", "ink-2", "ink-3", "accent", "fatal", "error", "warning", "info", "debug", "ok"]
TEXT += ["regressed", "escalating", "brass"]


def compressed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_vendored_files_are_as_published(package):
    folder = STATIC / "vendor" / package["folder"]
    assert {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()} == package["files"]


def test_every_vendored_package_is_listed_with_its_licence():
    folders = {path.name for path in (STATIC / "vendor").iterdir() if path.is_dir()}
    assert folders == {package["folder"] for package in PACKAGES}
    assert all("LICENSE" in package["files"] and package["license"] for package in PACKAGES)


def test_styles_stay_within_their_budget():
    assert compressed(*STATIC.rglob("*.css")) <= 16 * 1024


def test_all_scripts_together_stay_within_their_budget():
    assert compressed(*STATIC.rglob("*.js")) <= 24 * 1024


def test_styles_load_nothing():
    assert not re.search(r"@import|url\(|@font-face", STYLES)


@pytest.mark.parametrize("pattern", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_page_needs_more_than_the_policy_allows(pattern):
    offenders = [str(path.relative_to(ROOT)) for path in PAGES if re.search(pattern, path.read_text())]
    assert offenders == []


def test_every_icon_that_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img/sprite.svg").read_text()))
    names = re.compile(r'\bicon(?:_name=|\()"([\w-]+)"')
    named = {name for path in PAGES for name in names.findall(path.read_text())}
    assert named
    assert named <= drawn


def tokens(name: str) -> tuple[str, str]:
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", STYLES)
    assert found, name
    return found[1], found[2]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", TEXT)
def test_text_is_legible_on_every_ground(name, theme):
    grounds = ["bg", "surface", "sunken"] + [f"{name}-wash"] * (not name.startswith("ink"))
    for ground in grounds:
        assert contrast(tokens(name)[theme], tokens(ground)[theme]) >= 4.5, ground


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_borders_of_fields_can_be_seen(theme):
    line = tokens("line-strong")[theme]
    assert all(contrast(line, tokens(ground)[theme]) >= 3 for ground in ("bg", "surface"))
