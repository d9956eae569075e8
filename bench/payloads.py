"""An event of the usual kind: a web request that failed, seven frames deep, as a current SDK sends it."""

import gzip
import json
import uuid
from datetime import datetime
from typing import Any

ISSUES = 100
PEOPLE = 997


def event(number: int, at: datetime) -> dict[str, Any]:
    """Number decides which of the issues it belongs to, and who met it."""
    issue = number % ISSUES
    return {
        "event_id": uuid.uuid4().hex,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "level": "error",
        "platform": "python",
        "logger": "shop.checkout",
        "transaction": f"shop.views.checkout_{issue}",
        "server_name": "shop-web-3",
        "release": "shop@4.12.0",
        "environment": "production",
        "tags": {"region": "eu-central", "tenant": f"t{number % 7}", "queue": "default"},
        "user": {"id": str(number % PEOPLE), "email": f"visitor{number % PEOPLE}@example.net"},
        "request": {
            "url": "https://shop.example.org/checkout",
            "method": "POST",
            "query_string": "step=3&coupon=SPRING",
            "headers": {f"X-Header-{n}": "value " * 5 for n in range(12)},
            "data": {"cart": [{"sku": f"sku-{n}", "quantity": n} for n in range(8)], "card_token": "secret"},
        },
        "contexts": {
            "runtime": {"name": "CPython", "version": "3.11.7"},
            "os": {"name": "Linux", "version": "6.1"},
            "trace": {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16], "op": "http.server"},
        },
        "extra": {"sys.argv": ["gunicorn", "shop.wsgi"], "attempt": 3},
        "modules": {f"package-{n}": f"{n}.{n}.0" for n in range(40)},
        "sdk": {"name": "sentry.python.flask", "version": "2.75.0", "integrations": ["flask", "logging"]},
        "breadcrumbs": {"values": [_breadcrumb(n, at) for n in range(11)]},
        "exception": {
            "values": [
                {
                    "type": f"Payment{issue}Error",
                    "value": f"could not charge order {number} with 3 items",
                    "mechanism": {"type": "flask", "handled": False},
                    "stacktrace": {"frames": [_frame(n, issue) for n in range(7)]},
                }
            ]
        },
    }


def body(number: int, at: datetime) -> bytes:
    """The event in an envelope, packed as SDKs pack it."""
    made = event(number, at)
    payload = json.dumps(made).encode()
    lines = [
        json.dumps({"event_id": made["event_id"], "sent_at": made["timestamp"]}).encode(),
        json.dumps({"type": "event", "length": len(payload)}).encode(),
        payload,
    ]
    return gzip.compress(b"\n".join(lines))


def _breadcrumb(n: int, at: datetime) -> dict[str, Any]:
    return {
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "type": "http",
        "category": "httplib",
        "level": "info",
        "message": f"GET https://stock.example.org/items/{n}",
        "data": {"url": f"https://stock.example.org/items/{n}", "status_code": 200, "http.method": "GET"},
    }


def _frame(n: int, issue: int) -> dict[str, Any]:
    ours = n > 3
    return {
        "filename": f"{'shop' if ours else 'flask'}/module_{n}.py",
        "abs_path": f"/srv/app/{'shop' if ours else 'flask'}/module_{n}.py",
        "module": f"{'shop' if ours else 'flask'}.module_{n}",
        "function": f"step_{n}_{issue}",
        "lineno": 100 + n,
        "in_app": ours,
        "pre_context": [f"        line_{k} = prepare(order, {k})" for k in range(5)],
        "context_line": f"        return charge(order, attempt={n})",
        "post_context": [f"    except Failure{k}: log.warning('failed')" for k in range(5)],
        "vars": {f"local_{k}": f"<Order id={k} state='open' items=3>" for k in range(8)},
    }
