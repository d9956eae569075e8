"""How minified files are called, and what a mapped frame becomes."""

import pytest

from app.domain import source_maps
from app.domain.bundles import BadBundle, debug_id, is_safe, read_manifest
from app.domain.source_maps import Token, map_names, names_of, tidy
from tests.domain.sdk import regular
from tests.support import minified_shop


@pytest.mark.parametrize(
    ("address", "names"),
    [
        (
            "https://shop.example.org/static/app.js?v=1#x",
            ["https://shop.example.org/static/app.js", "~/static/app.js"],
        ),
        ("app:///main.jsbundle", ["app:///main.jsbundle", "~/main.jsbundle"]),
        ("/srv/shop/server.js", ["/srv/shop/server.js", "~/srv/shop/server.js"]),
        ("https://[bad/app.js", ["https://[bad/app.js"]),
    ],
)
def test_a_file_may_have_been_uploaded_under_its_address_or_its_path(address, names):
    assert names_of(address) == names


@pytest.mark.parametrize(
    ("url", "reference", "first"),
    [
        ("~/static/app.js", "app.js.map", "~/static/app.js.map"),
        ("~/static/app.js", "../maps/app.js.map", "~/maps/app.js.map"),
        ("~/static/app.js", "", "~/static/app.js.map"),
        ("https://h.example/a/app.js", "app.js.map", "https://h.example/a/app.js.map"),
    ],
)
def test_a_map_lies_where_its_file_says(url, reference, first):
    assert map_names(url, reference)[0] == first


def test_a_map_within_the_file_itself_has_no_name():
    assert map_names("~/a.js", "data:application/json;base64,e30=") == []


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("webpack://shop/./src/cart.ts?1a2b", "src/cart.ts"),
        ("webpack:///./src/cart.ts", "src/cart.ts"),
        ("../../src/cart.ts", "src/cart.ts"),
        ("https://shop.example.org/src/cart.ts", "src/cart.ts"),
        ("/home/build/src/cart.ts", "/home/build/src/cart.ts"),
        ("C:\\build\\cart.ts", "C:/build/cart.ts"),
        ("", "?"),
    ],
)
def test_sources_are_called_as_their_developers_call_them(source, path):
    assert tidy(source) == path


@pytest.mark.parametrize(
    ("source", "in_app"),
    [
        ("src/cart.ts", True),
        ("webpack://shop/./src/modules/cart.ts", True),
        ("../node_modules/react/index.js", False),
        ("webpack:///~/react/index.js", False),
        ("webpack/bootstrap", False),
        ("webpack:///(webpack)/hot.js", False),
    ],
)
def test_libraries_are_not_the_applications_own(source, in_app):
    frame = {"abs_path": minified_shop.URL, "lineno": 1, "colno": 45, "in_app": True, "function": "o"}
    source_maps.apply(frame, Token(source, 6, 11, "priceOf", ["a\n"], "b\n", []))
    assert frame["in_app"] is in_app


def test_a_mapped_frame_keeps_what_it_was():
    frame = {"abs_path": minified_shop.URL, "lineno": 1, "colno": 45, "context_line": "min", "function": "o"}
    sent = dict(frame)
    source_maps.apply(frame, Token("../src/cart.ts", 6, 11, None, ["a\n"], "b\x00\r\n", ["c"]))
    assert source_maps.as_sent(frame) == sent
    assert frame == {
        "filename": "src/cart.ts",
        "abs_path": "src/cart.ts",
        "function": "<anonymous>",
        "lineno": 6,
        "colno": 11,
        "in_app": True,
        "pre_context": ["a"],
        "context_line": "b",
        "post_context": ["c"],
        "raw": {
            "abs_path": minified_shop.URL,
            "lineno": 1,
            "colno": 45,
            "context_line": "min",
            "function": "o",
        },
    }


def test_only_frames_of_scripts_with_a_place_are_looked_up():
    places = [
        {"abs_path": "<anonymous>", "lineno": 1, "colno": 1},
        {"abs_path": "node:internal/modules", "lineno": 1, "colno": 1},
        {"abs_path": "https://a.example/a.js", "lineno": 1},
        {"abs_path": "https://a.example/a.js", "lineno": 0, "colno": 1},
        {"abs_path": "https://a.example/a.js", "lineno": 1, "colno": 2**40},
        {"abs_path": "https://a.example/b.py", "lineno": 1, "colno": 1, "platform": "python"},
        {"abs_path": "https://a.example/c.js", "lineno": 1, "colno": 1},
    ]
    data = regular(platform="javascript", stacktrace={"frames": places}).data
    assert list(source_maps.minified_frames(data)) == ["https://a.example/c.js"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (minified_shop.DEBUG_ID, "e12f8f15952253ec95489d20203b7c11"),
        ("E12F8F15952253EC95489D20203B7C11", "e12f8f15952253ec95489d20203b7c11"),
        ("x", None),
        (7, None),
    ],
)
def test_debug_ids_have_one_spelling(given, found):
    assert debug_id(given) == found


@pytest.mark.parametrize("meta", [{"images": "x"}, {"images": [None, 1, {}]}, {"images": [{"type": "elf"}]}])
def test_odd_images_give_no_debug_ids(meta):
    assert source_maps.debug_ids({"debug_meta": meta}) == {}


@pytest.mark.parametrize(
    "member", ["../a", "/etc/passwd", "a/../../b", "a\\b", "C:/x", "", "a\0b", "x" * 2000]
)
def test_paths_that_lead_out_of_an_archive_are_not_safe(member):
    assert not is_safe(member)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"files": []}', b'{"files": {"../x": {}}}', b"[" * 9999]
)
def test_a_bad_manifest_says_so(text):
    with pytest.raises(BadBundle):
        read_manifest(text)
