"""Forgeries of each known kind, made of true chains by a seed. Of each is known which line is the first
that nobody believable wrote. Lines are counted from the top, 0 first; the top line is never touched:
whoever judges has written it himself.

kind              what is done                                         right is
below             1 to 3 made-up lines below the chain's lowest        the first of them
stuffed           the same, in the client's own header, above, in      the first of them
                  between or below its fields, with made-up results
copied            the lowest 1 to 3 lines of another true chain        the first of them
splice            all lines of another true chain                      the first of them
wrong id          an id that the line's software never writes          that line
impossible        the client's address becomes one that cannot have    that line
                  been there: reserved, documentation, octet over 255
other address     the client's address becomes another public one      that line (with DNS only:
                                                                       nothing else can tell)
later             a time 1 to 30 days later than the line above        that line
earlier           a time 1 to 30 days earlier, so that the line below  that line, or the one below:
                  is later                                             which of the two lies, cannot be told
weekday           the date moved without its day's name                that line
removed           a line is taken out whose writer was of another      the line that follows the gap
                  organisation than the next's
reordered         lines change places                                  the first that is out of place,
                                                                       where it is of another organisation
joined            as below, but the made-up lines say that the client  the first of them, but by nature it
                  itself, by its HELO, wrote them                      cannot be told from a relay
by hand           as below or splice, but the chain's lowest line says the same: whoever resends a message
                  that a program on the writer's own host submitted    by hand looks like this
unnamed           as splice, but the host that wrote the first of      the same: servers of offices call
                  them has a name that is valid inside a house only    themselves what nobody outside knows

The last three are counted and shown, but no share of them is asked for. Not made is what nobody could
see: a line taken out within one organisation, or next to a host without a public name."""
import dataclasses
import datetime
import random
import re

from . import invent, mbox


@dataclasses.dataclass
class Forgery:
    kind: str
    text: bytes
    right: set  # indexes, each as right as the other
    of: int  # the way of the chain it is made of


class Chain:
    """A true message."""

    def __init__(self, truth, text):
        self.truth = truth
        self.text = text
        self.fields, self.rest = mbox.fields_of(text)
        self.at = [n for n, field in enumerate(self.fields) if mbox.is_received(field)]
        self.lines = [self.fields[n] for n in self.at]

    def writer(self, n):
        """Who wrote line n."""
        return re.search(rb"\bby ([^\s;]+)", self.lines[n]).group(1).decode()

    def organisation(self, n):
        """Whose the writer of line n is; a filter on "localhost" is the next line's."""
        name = self.writer(n)
        return self.organisation(n + 1) if name == "localhost" else ".".join(name.split(".")[-2:])

    def is_public(self, n):
        return self.writer(n).endswith(".example")

    def by_hand(self):
        return self.truth["client"] is None

    def has_peer(self, n):
        """Line n says from which host it came; "from root by …" names a user."""
        return re.match(rb"(?i)received:\s*from \S*[.\[]", self.lines[n]) is not None

    def crosses(self, n):
        """Line n was written in another organisation than line n - 1, which says from whom it had
        the message."""
        if n >= len(self.lines) or not self.has_peer(n - 1) or not self.is_public(n):
            return False
        return self.organisation(n) != self.organisation(n - 1)

    def with_lines(self, lines, more=()):
        """The message with other lines, the last of which stand where the last stood; `more`: (place
        among the fields below them, field)."""
        top, below = self.fields[: self.at[0]], self.fields[self.at[-1] + 1 :]
        for place, field in more:
            below.insert(min(place, len(below)), field)
        return b"".join([*top, *lines, *below]) + self.rest

    def changed(self, n, line):
        return self.with_lines([*self.lines[:n], line, *self.lines[n + 1 :]])

    def when(self):
        """Unix seconds of the lowest line."""
        return int(date_in(self.lines[-1])[0].timestamp())


DATE = re.compile(rb"(\w{3}), ([ \d]\d) (\w{3}) (\d{4}) (\d\d:\d\d:\d\d) ([+-]\d{4})")


def date_in(line):
    found = DATE.search(line)
    text = b" ".join(found.groups()[1:]).decode()
    return datetime.datetime.strptime(text, "%d %b %Y %H:%M:%S %z"), found


def moved(line, by, named=True):
    """The line at another time; `named`: with the right day's name."""
    date, found = date_in(line)
    new = (date + by).strftime("%a, %d %b %Y %H:%M:%S %z").encode()
    return line[: found.start()] + (new if named else found.group(1) + new[3:]) + line[found.end() :]


def names_in(line):
    """The organisations of all names in a line."""
    return set(re.findall(r"[\w-]+\.\w+(?=[\s)\]])", line.decode()))


class Workbench:
    def __init__(self, chains, seed):
        self.chains = chains
        self.random = random.Random(seed)
        self.forger = invent.Forger(seed)

    def make(self, kind, count):
        made = []
        while len(made) < count:
            chain = self.random.choice(self.chains)
            done = getattr(self, kind.replace(" ", "_"))(chain)
            if done:
                made.append(Forgery(kind, *done, chain.truth["route"]))
        return made

    def below(self, chain, by=None):
        if chain.by_hand():
            return None
        lines = self.forger.history(self.random.randrange(1, 4), chain.when(), by)
        return chain.with_lines([*chain.lines, *(line.encode() for line in lines)]), {len(chain.lines)}

    def joined(self, chain):
        helo = re.search(rb"helo=([\w.-]+)", chain.lines[-1]) or re.match(rb"(?i)received: from ([\w.-]+)", chain.lines[-1])
        return self.below(chain, helo.group(1).decode()) if helo else None

    def by_hand(self, chain):
        if not chain.by_hand():
            return None
        made = self.forger.history(self.random.randrange(1, 4), chain.when())
        lines = self.random.choice(([line.encode() for line in made], self.another(chain).lines))
        return chain.with_lines([*chain.lines, *lines]), {len(chain.lines)}

    def stuffed(self, chain):
        if chain.by_hand():
            return None
        lines = self.forger.history(self.random.randrange(1, 4), chain.when())
        place = self.random.choice((0, 1, 3, 5))
        more = [(place + n, line.encode()) for n, line in enumerate(lines)]
        if self.random.random() < 0.5:
            result = f"Authentication-Results: {chain.writer(0)}; spf=pass smtp.mailfrom=firstbank.example\n"
            more.append((place, result.encode()))
        if self.random.random() < 0.5:
            more.append((place, f"X-Originating-IP: [{self.forger.address()}]\n".encode()))
        return chain.with_lines(chain.lines, more), {len(chain.lines)}

    def another(self, chain):
        """A chain of somebody else's message, none of whose servers is where this one began."""
        began = names_in(chain.lines[-1])
        while True:
            other = self.random.choice(self.chains)
            ways = {other.organisation(n) for n in range(len(other.lines))}
            if other.truth["client"] != chain.truth["client"] and not ways & began:
                return other

    def copied(self, chain):
        other = self.another(chain)
        first = max(0, len(other.lines) - self.random.randrange(1, 4))
        if chain.by_hand() or not other.is_public(first):
            return None
        return chain.with_lines([*chain.lines, *other.lines[first:]]), {len(chain.lines)}

    def splice(self, chain, public=True):
        other = self.another(chain)
        if chain.by_hand() or other.is_public(0) != public:
            return None
        return chain.with_lines([*chain.lines, *other.lines]), {len(chain.lines)}

    def unnamed(self, chain):
        return self.splice(chain, public=False)

    def some_line(self, chain, fits=lambda n: True):
        fitting = [n for n in range(1, len(chain.lines)) if fits(n)]
        return self.random.choice(fitting) if fitting else None

    def wrong_id(self, chain):
        forms = {b"(Postfix": "postfix", b"(Exim": "exim", b"(OpenSMTPD": "opensmtpd", b"(Postrider": "postrider"}
        n = self.some_line(chain, lambda n: any(form in chain.lines[n] for form in forms))
        if n is None:
            return None
        own = next(name for form, name in forms.items() if form in chain.lines[n])
        bad = {
            "exim": self.forger.id_of("exim", chain.when()),
            "opensmtpd": self.forger.some("0123456789abcdef", 8),
            "number": self.forger.some("0123456789", 17) + "-" + self.forger.some("0123456789", 3),
            "long": self.forger.some(invent.BASE62 + "_", 24),
            "short": self.forger.some("aeiouAEIOUxyz", 4),
        }
        bad.pop(own, None)
        new = re.sub(rb"\bid [^\s;]+", b"id " + self.random.choice(list(bad.values())).encode(), chain.lines[n], count=1)
        return chain.changed(n, new), {n}

    def readdress(self, chain, n, address):
        return re.sub(rb"\[(IPv6:)?[0-9a-fA-F:.]+\]", b"[" + address.encode() + b"]", chain.lines[n], count=1)

    def impossible(self, chain):
        n = self.some_line(chain, lambda n: chain.crosses(n + 1) and b"[127." not in chain.lines[n])
        if n is None:
            return None
        octet = self.random.randrange
        address = self.random.choice((
            f"{octet(256, 999)}.{octet(1, 255)}.{octet(1, 255)}.{octet(1, 255)}",
            f"{octet(12, 200)}.{octet(256, 400)}.{octet(1, 255)}.{octet(1, 255)}",
            f"203.0.113.{octet(1, 255)}", f"192.0.2.{octet(1, 255)}", f"0.{octet(255)}.{octet(255)}.{octet(1, 255)}",
            f"{octet(240, 255)}.{octet(255)}.{octet(255)}.{octet(1, 255)}", f"198.18.{octet(255)}.{octet(1, 255)}",
        ))  # fmt: skip
        return chain.changed(n, self.readdress(chain, n, address)), {n}

    def other_address(self, chain):
        n = self.some_line(chain, lambda n: chain.crosses(n + 1) and b"[127." not in chain.lines[n])
        return n and (chain.changed(n, self.readdress(chain, n, self.forger.address())), {n})

    def shift(self):
        return datetime.timedelta(days=self.random.randrange(1, 30), seconds=self.random.randrange(3600, 80000))

    def later(self, chain):
        n = self.some_line(chain)
        return n and (chain.changed(n, moved(chain.lines[n], self.shift())), {n})

    def earlier(self, chain):
        n = self.some_line(chain, lambda n: n + 1 < len(chain.lines))
        return n and (chain.changed(n, moved(chain.lines[n], -self.shift())), {n, n + 1})

    def weekday(self, chain):
        n = self.some_line(chain)
        days = self.random.choice((1, 2, 3, 4, 5, 6, 8, 9, 10))
        return n and (chain.changed(n, moved(chain.lines[n], datetime.timedelta(days=-days), named=False)), {n})

    def removed(self, chain):
        n = self.some_line(chain, lambda n: chain.has_peer(n - 1) and chain.crosses(n + 1))
        return n and (chain.with_lines([*chain.lines[:n], *chain.lines[n + 1 :]]), {n})

    def reordered(self, chain):
        order = list(range(1, len(chain.lines)))
        self.random.shuffle(order)
        wrong = next((n for n, place in enumerate(order, 1) if place != n), None)
        if wrong is None or not chain.has_peer(wrong - 1):
            return None
        here = order[wrong - 1]
        if chain.organisation(here) == chain.organisation(wrong) or not chain.is_public(here):
            return None
        return chain.with_lines([chain.lines[0], *(chain.lines[n] for n in order)]), {wrong}


OFFLINE = ("below", "stuffed", "copied", "splice", "wrong id", "impossible", "later", "earlier", "weekday", "removed", "reordered")
DNS_ONLY = ("other address",)
BY_NATURE_HIDDEN = ("joined", "by hand", "unnamed")
