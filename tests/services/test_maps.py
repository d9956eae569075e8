"""Source maps are read in a process of its own, which strangers' files may end but not hold up."""

import pytest

from app.services.releases import maps as maps_module
from app.services.releases.maps import MapPair, Maps, Place, Unusable
from tests.support.minified_shop import CODE, MAP, ORIGINAL, STACK

PLACES = [(1, column) for column, _ in STACK]


@pytest.fixture
def maps():
    made = Maps()
    yield made
    made.close()


@pytest.fixture
def pair(tmp_path):
    def written(map_: bytes = MAP, code: bytes | None = CODE, name: str = "a") -> MapPair:
        (tmp_path / f"{name}.map").write_bytes(map_)
        if code is not None:
            (tmp_path / f"{name}.js").write_bytes(code)
        of_code = Place(str(tmp_path / f"{name}.js"), None) if code is not None else None
        return MapPair(Place(str(tmp_path / f"{name}.map"), None), of_code)

    return written


def test_places_lead_to_the_original_source(maps, pair):
    found = maps.look_up(pair(), PLACES)
    assert [(each.source.removeprefix("../"), each.function, each.line) for each in found] == ORIGINAL
    assert found[-1].text == "    throw new TypeError(`no price for ${item.name}`);\n"


def test_without_the_minified_file_lines_are_found_all_the_same(maps, pair):
    [found] = maps.look_up(pair(code=None), PLACES[-1:])
    assert (found.source, found.line) == ("../src/cart.ts", 6)


def test_a_place_beyond_the_file_is_none(maps, pair):
    assert maps.look_up(pair(), [(99, 1)]) == [None]


BROKEN = {
    "no JSON": b"<html>",
    "nothing": b"",
    "bad mappings": b'{"version":3,"sources":["a"],"mappings":"!!"}',
}


@pytest.mark.parametrize("map_", BROKEN.values(), ids=BROKEN)
def test_a_broken_map_is_said_to_be(maps, pair, map_):
    with pytest.raises(Unusable, match="map_malformed"):
        maps.look_up(pair(map_), PLACES)


def test_a_script_that_ends_the_process_is_left_out_and_its_map_is_used(maps, pair):
    deadly = pair(code=b"var a=" + b"(" * 200_000 + b"1" + b")" * 200_000, name="deadly")
    for _ in range(2):
        [found] = maps.look_up(deadly, PLACES[-1:])
        assert (found.source, found.line) == ("../src/cart.ts", 6)
    assert all(maps.look_up(pair(), PLACES))


def test_a_bad_map_is_not_read_again(maps, pair):
    bad = pair(b"<html>")
    for _ in range(2):
        with pytest.raises(Unusable, match="map_malformed"):
            maps.look_up(bad, PLACES)
    pair(MAP)
    with pytest.raises(Unusable, match="map_malformed"):
        maps.look_up(bad, PLACES)


def test_a_map_that_takes_too_long_is_left(maps, pair, monkeypatch):
    maps.look_up(pair(), PLACES)
    monkeypatch.setattr(maps_module, "MOST_SECONDS", 0.001)
    long = b'{"version":3,"sources":["a"],"names":[],"mappings":"' + b"AAAA;" * 2_000_000 + b'"}'
    with pytest.raises(Unusable, match="map_too_slow"):
        maps.look_up(pair(long, name="slow"), PLACES)


def test_a_map_that_is_too_large_is_left(maps, pair):
    with pytest.raises(Unusable, match="map_too_large"):
        maps.look_up(pair(b" " * (41 << 20)), PLACES)


def test_a_file_that_is_gone_may_come_back(maps, pair, tmp_path):
    lost = MapPair(Place(str(tmp_path / "later.map"), None), None)
    with pytest.raises(Unusable, match="map_file_lost"):
        maps.look_up(lost, PLACES)
    pair(name="later")
    assert all(maps.look_up(lost, PLACES))
