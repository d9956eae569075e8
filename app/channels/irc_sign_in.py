"""How to sign in to a server of IRC: a nick that is free, and an account where one is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.channels.irc_client import HIDDEN, Client, Trouble
from app.domain import irc_answers, irc_lines
from app.domain.irc_answers import Meaning
from app.domain.irc_lines import Line

# Servers that look names up, or ask who we are, take their time.
REGISTER_SECONDS, GREETING_SECONDS, NICKSERV_SECONDS = 35.0, 5.0, 2.0
MOST_NICKS = 5
NONE, SASL, NICKSERV = "none", "sasl", "nickserv"


@dataclass(frozen=True, slots=True)
class Who:
    """As what to sign in. `login` is how, if at all."""

    nick: str
    user: str
    real_name: str
    server_password: str = field(default="", repr=False)
    login: str = NONE
    account: str = ""
    password: str = field(default="", repr=False)


def register(client: Client, who: Who) -> None:
    """Until the server has greeted us."""
    client.nick = who.nick
    if who.login == SASL:
        client.write(Line("CAP", ("LS", "302")))
    if who.server_password:
        client.write(Line("PASS", (who.server_password,)), shown=f"PASS {HIDDEN}")
    client.write(Line("NICK", (who.nick,)))
    client.write(Line("USER", (who.user, "0", "*", who.real_name)))
    _be_greeted(client, who)
    if who.login == NICKSERV:
        _identify(client, who)


def _be_greeted(client: Client, who: Who) -> None:
    nicks = _Nicks(who.nick)
    signing_in = _SigningIn(client, who) if who.login == SASL else None
    for line in client.lines(REGISTER_SECONDS):
        if line.command == "001":
            if signing_in and not signing_in.is_done:
                raise Trouble(Meaning.BROKEN, "sasl", _SigningIn.NONE_OFFERED)
            client.nick = line.param(0)
            _hear_greeting(client)
            return
        if (refusal := irc_answers.at_the_door(line.command)) is not None:
            raise Trouble(refusal.meaning, refusal.code, refusal.words)
        if (other := nicks.after(line)) is not None:
            client.nick = other
            client.write(Line("NICK", (other,)))
        elif signing_in:
            signing_in.hear(line)
    raise Trouble(Meaning.DOUBTFUL, "timeout", "The server did not greet Tocsin in time.")


def _hear_greeting(client: Client) -> None:
    for line in client.lines(GREETING_SECONDS):
        if line.command in ("376", "422"):
            return


def _identify(client: Client, who: Who) -> None:
    """NickServ has no answer that all networks share: what it says is noted, then we go on."""
    words = " ".join(each for each in ("IDENTIFY", who.account, who.password) if each)
    client.write(Line("PRIVMSG", ("NickServ", words)), shown=f"PRIVMSG NickServ :IDENTIFY {HIDDEN}")
    for line in client.lines(NICKSERV_SECONDS):
        if line.command == "401" and line.param(1).lower() == "nickserv":
            raise Trouble(Meaning.BROKEN, "401", "There is no NickServ here: choose another way to sign in.")
        if line.command == "900" or (
            line.command == "MODE" and "r" in line.param(1) and client.is_me(line.param(0))
        ):
            return


class _Nicks:
    """What to be called instead, where the server does not take a nick."""

    def __init__(self, wanted: str) -> None:
        self._base, self._attempt, self._was_cut = wanted, 0, False

    def after(self, line: Line) -> str | None:
        """None where the line is about something else."""
        if line.command in irc_answers.NICK_IN_USE:
            self._attempt += 1
            if self._attempt >= MOST_NICKS:
                raise Trouble(
                    Meaning.DOUBTFUL, line.command, "The nick is in use, and so are others like it."
                )
            return irc_lines.other_nick(self._base, self._attempt)
        if line.command != irc_answers.NICK_BAD:
            return None
        if self._was_cut or len(self._base) <= irc_lines.SAFE_NICK_LENGTH:
            raise Trouble(Meaning.BROKEN, line.command, "The server does not take the nick.")
        self._base, self._was_cut = self._base[: irc_lines.SAFE_NICK_LENGTH], True
        return self._base


class _SigningIn:
    """SASL PLAIN, one line after the other."""

    NONE_OFFERED = "The server offers no SASL: choose another way to sign in."

    def __init__(self, client: Client, who: Who) -> None:
        if not client.is_secure:
            raise Trouble(Meaning.BROKEN, "plain", "SASL is for secure connections only: choose TLS.")
        self._client, self._who = client, who
        self._offered: list[str] = []
        self.is_done = False

    def hear(self, line: Line) -> None:
        if (refusal := irc_answers.of_sasl(line.command)) is not None:
            raise Trouble(refusal.meaning, refusal.code, refusal.words)
        if line.command == "CAP":
            self._hear_offer(line.param(1), line.params[2:])
        elif line.command == "AUTHENTICATE" and line.param(0) == "+":
            for text in irc_lines.sasl_plain(self._who.account, self._who.password):
                self._client.write(irc_lines.read(text), shown=f"AUTHENTICATE {HIDDEN}")
        elif line.command == "903":
            self.is_done = True
            self._client.write(Line("CAP", ("END",)))

    def _hear_offer(self, what: str, rest: Sequence[str]) -> None:
        if what == "ACK":
            self._client.write(Line("AUTHENTICATE", ("PLAIN",)))
        elif what == "NAK":
            raise Trouble(Meaning.BROKEN, "sasl", self.NONE_OFFERED)
        elif what == "LS":
            self._offered += rest[-1].split() if rest else []
            if "*" not in rest[:-1]:  # else more of them follow
                self._ask()

    def _ask(self) -> None:
        offer = next((each for each in self._offered if each.partition("=")[0].lower() == "sasl"), None)
        if offer is None:
            raise Trouble(Meaning.BROKEN, "sasl", self.NONE_OFFERED)
        ways = offer.partition("=")[2].upper().split(",")
        if ways != [""] and "PLAIN" not in ways:
            refusal = irc_answers.of_sasl("908")
            raise Trouble(Meaning.BROKEN, "908", refusal.words if refusal else "")
        self._client.write(Line("CAP", ("REQ", "sasl")))
