"""What people and programs wrote, in made-up mails: as usual, meant to do harm, or nothing at all."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """What people and programs wrote. `has_event` is whether the event is still there."""

    title: str
    culprit: str
    message: str
    comment: str
    project: str = "checkout"
    reader: str = "Priya Nair"
    actor: str = "Ana Lima"
    other: str = "Sam Okoro"
    release: str = "4.2.1"
    environment: str = "production"
    rule: str = "New issues"
    commit: str = "Guard against empty cart. Fixes CHECKOUT-4F"
    frames: int = 10
    has_event: bool = True


_MARKUP = '</style></title><script>alert(1)</script><b hx-get="/x">&amp; {{ 7*7 }} %s '
_NASTY = f"{_MARKUP}\u202e\x1b[31m\r\nBcc: all@example.com"
TEXTS: Mapping[str, Texts] = {
    "typical": Texts(
        title="TypeError: Cannot read properties of undefined (reading 'total')",
        culprit="cart/summary.js in renderTotals",
        message="Cannot read properties of undefined (reading 'total')",
        comment="@priya does the new totals service ever return null for guests? It looks like\n"
        "`cart.total` is missing only when the cart came from a shared link:\n\n"
        "    return cart.total.amount\n\n"
        "See https://wiki.example.com/totals",
    ),
    "hostile": Texts(
        title=(_NASTY + " 💥" * 300)[:255],
        culprit=("<img src=x onerror=alert(1)>" * 10)[:200],
        message="💥<" * 5000,
        comment=_NASTY + "\n" + "💥&<" * 3000,
        project=_NASTY[:60],
        reader='Priya "<b>" Nair\r\nBcc: x@example.com',
        actor="<script>" + "Ana " * 30,
        other="💥" * 60,
        release="<b>" + "9" * 190,
        environment="<i>prod</i>",
        rule=_NASTY[:64],
        commit=_NASTY * 4,
        frames=300,
    ),
    "right to left": Texts(
        title="خطأ: تعذّر قراءة المجموع من السلة",
        culprit="سلة/ملخص.js في اعرض_المجموع",
        message="القيمة غير معرّفة",
        comment="@priya هل تعيد الخدمة الجديدة قيمة فارغة للزوار؟\nראי גם https://wiki.example.com/totals",
        project="الدفع",
        reader="نور الهدى",
        actor="דנה לוי",
        other="سامي",
        release="٤.٢.١",
        environment="إنتاج",
        rule="مشكلات جديدة",
        commit="إصلاح السلة الفارغة",
    ),
    "empty": Texts(
        title="<unlabeled event>",
        culprit="",
        message="",
        comment="?",
        release="",
        environment="",
        rule="",
        commit="",
        frames=0,
        has_event=False,
    ),
}
