"""The people whom tests know by name."""

from tests.make import Make


class Cast:
    """Alice owns acme; she, Bob and Cy are on the team of its project shop. Dee is in acme, but not on it.

    Charlie owns another organization and must never see a thing.
    """

    def __init__(self, make: Make) -> None:
        self.alice, self.bob, self.cy, self.dee, self.charlie = (
            make.user(name) for name in ("Alice", "Bob", "Cy", "Dee", "Charlie")
        )
        self.acme = make.organization("acme", owner=self.alice)
        self.team = make.team(self.acme, "shop-team", members=[self.alice, self.bob, self.cy])
        self.shop = make.project(self.acme, "shop", teams=[self.team])
        make.member(self.acme, self.dee)
        self.rivals = make.organization("rivals", owner=self.charlie)
        self.rivals_team = make.team(self.rivals, "rivals-team", members=[self.charlie])
        self.other_shop = make.project(self.rivals, "other-shop", teams=[self.rivals_team])
