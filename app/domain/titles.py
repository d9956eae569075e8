"""What an event is called, and where it says that it happened."""

from __future__ import annotations

from app.domain.frame_parts import without_arguments
from app.domain.grouping import crash_frame, main_exception
from app.domain.shapes import cut
from app.domain.stacks import JAVASCRIPT, NATIVE, Data, Frame, frames_of, is_synthetic, top_frames

MAX_TEXT = 100
MAX_CULPRIT = 200
UNLABELED = "<unlabeled event>"


def title(data: Data) -> str:
    main = main_exception(data)
    if main is None:
        return _first_line(data.get("logentry", {}).get("formatted")) or UNLABELED
    if function := _synthetic_function(main, data):
        return function
    kind, text = main.get("type"), _first_line(main.get("value"))
    return f"{kind}: {text}" if kind and text else kind or text or UNLABELED


def culprit(data: Data) -> str:
    main = main_exception(data)
    if main is not None and _is_native_synthetic(main, data):
        return ""
    return cut(data.get("transaction") or data.get("culprit") or _place(data), MAX_CULPRIT)


def metadata(data: Data) -> dict[str, str]:
    """What an issue remembers of its latest event: type, value, and the file and function that failed."""
    main = main_exception(data) or {}
    frame = crash_frame(data, frames_of(main) or top_frames(data)) or {}
    told = {
        "type": main.get("type"),
        "value": main.get("value"),
        "filename": frame.get("filename"),
        "function": frame.get("function"),
    }
    return {name: cut(value, 1024) for name, value in told.items() if value}


def _first_line(text: str | None) -> str:
    lines = (line.strip() for line in (text or "").splitlines())
    return cut(next((line for line in lines if line), ""), MAX_TEXT)


def _is_native_synthetic(exception: Data, data: Data) -> bool:
    return data["platform"] in NATIVE and is_synthetic(exception)


def _synthetic_function(main: Data, data: Data) -> str | None:
    """A native crash has no name but that of the function it happened in."""
    if not _is_native_synthetic(main, data):
        return None
    frame = crash_frame(data, frames_of(main)) or {}
    return without_arguments(frame.get("function") or "") or None


def _place(data: Data) -> str:
    frames = top_frames(data)
    frame = crash_frame(data, frames)
    if frame is not None:
        return _located(frame, frame.get("platform") or data["platform"])
    url: str = data.get("request", {}).get("url", "")
    return url


def _located(frame: Frame, platform: str) -> str:
    function = frame.get("function")
    where = frame.get("module") or frame.get("filename") or "?"
    if platform in NATIVE:
        return function or where
    if platform in JAVASCRIPT:
        return f"{function or '?'}({where})"
    return f"{where} in {function or '?'}"
