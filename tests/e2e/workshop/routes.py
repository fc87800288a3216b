"""The ways that mail takes through the street."""
import dataclasses

from .street import HOSTS


@dataclasses.dataclass(frozen=True)
class Route:
    """`client` submits to the first of `hosts` ("": its own sendmail does), each hands on to the next,
    the last delivers. Then, by its `turn`, the last sends it on, through `onward`:
    forward: by an alias; list: a list manager sends it to its members; fetched: a user fetches it
    and hands it to the last host's own sendmail.
    Every leg has a recipient's domain of its own, below the organisation of its last host with a
    public name, by which the servers know where next."""

    number: int
    client: str
    hosts: tuple
    how: str = ""  # auth: with a password; many: to two recipients; null: from <>
    turn: str = ""
    onward: tuple = ()

    def legs(self):
        """(domain, hosts) of each leg."""
        yield self.domain("d", self.hosts), self.hosts
        if self.turn:
            hosts = self.hosts[-1:] + self.onward
            yield self.domain("e", hosts), hosts

    def domain(self, letter, hosts):
        named = [HOSTS[host].domain for host in hosts if HOSTS[host].name.endswith(".example")]
        return f"{letter}{self.number}.{named[-1]}"

    @property
    def sender(self):
        """The envelope's sender: of the client's organisation, or of the first server's."""
        if self.how == "null":
            return ""
        first = next((h for h in (self.client, *self.hosts) if h.endswith(".example")), "juniper.example")
        return "anna@" + ".".join(first.split(".")[-2:])


SMTP, OUT, BIRCH, BOX = "smtp.alder.example", "out3.alder.example", "mx.birch.example", "box.birch.example"
CEDAR, DOGWOOD, STORE, ELM = "mail.cedar.example", "mx1.dogwood.example", "store.dogwood.example", "mx.elm.example"
LISTS, GUM, HAZEL, HUB = "lists.fir.example", "mta.gum.example", "gw.hazel.example", "hub01.corp.hazel.local"
IVY, WWW, LARCH, MAPLE = "srv01.ivy.lan", "www.kapok.example", "mx.larch.example", "relay.maple.example"
LAPTOP, NATTED, DESKTOP = "laptop", "[192.168.1.23]", "DESKTOP-4QK2J1"
APP, PHONE, OAK = "app.nutmeg.example", "phone.local", "mta.oak.example"

WAYS = (
    # Two hops.
    (LAPTOP, (SMTP, BIRCH), "auth"),
    (NATTED, (MAPLE, CEDAR)),
    (APP, (GUM, ELM)),
    (DESKTOP, (IVY, LARCH)),
    (PHONE, (GUM, CEDAR)),
    (APP, (DOGWOOD, STORE)),
    (OAK, (ELM, BIRCH), "null"),
    ("", (WWW, CEDAR)),
    ("", (IVY, BIRCH)),
    ("", (IVY, DOGWOOD, STORE)),
    (LAPTOP, (BIRCH, BOX)),
    (APP, (HAZEL, HUB)),
    (APP, (LARCH, LISTS)),
    (APP, (CEDAR, IVY), "many"),
    # Three.
    (LAPTOP, (SMTP, OUT, BIRCH), "auth"),
    (LAPTOP, (SMTP, OUT, CEDAR), "auth"),
    (NATTED, (SMTP, OUT, ELM), "auth"),
    (LAPTOP, (SMTP, OUT, LARCH), "many"),
    (NATTED, (MAPLE, BIRCH, BOX)),
    (APP, (GUM, HAZEL, HUB)),
    (APP, (GUM, DOGWOOD, STORE)),
    (DESKTOP, (IVY, HAZEL, HUB)),
    (DESKTOP, (IVY, BIRCH, BOX)),
    (OAK, (ELM, LARCH, LISTS)),
    ("", (WWW, BIRCH, BOX)),
    ("", (WWW, HAZEL, HUB)),
    (PHONE, (GUM, MAPLE, CEDAR)),
    (APP, (WWW, GUM, LARCH)),
    (APP, (CEDAR, MAPLE, ELM), "many"),
    # Four and five.
    (LAPTOP, (SMTP, OUT, BIRCH, BOX), "auth"),
    (NATTED, (SMTP, OUT, DOGWOOD, STORE), "auth"),
    (LAPTOP, (SMTP, OUT, HAZEL, HUB), "auth"),
    (APP, (GUM, OUT, DOGWOOD, STORE)),
    (DESKTOP, (IVY, MAPLE, BIRCH, BOX)),
    (OAK, (ELM, GUM, CEDAR, LARCH)),
    ("", (WWW, MAPLE, OUT, BIRCH, BOX)),
    (APP, (LARCH, CEDAR, ELM, GUM, LISTS), "many"),
    (LAPTOP, (MAPLE, GUM, LARCH, HAZEL, HUB)),
    # Sent on.
    (LAPTOP, (SMTP, OUT, ELM), "auth", "forward", (BIRCH,)),
    (APP, (GUM, ELM), "", "forward", (DOGWOOD, STORE)),
    (NATTED, (MAPLE, LISTS), "", "forward", (CEDAR,)),
    (DESKTOP, (IVY, ELM), "", "forward", (LARCH,)),
    (LAPTOP, (SMTP, LISTS), "auth", "list", (BIRCH, BOX)),
    (NATTED, (SMTP, OUT, LISTS), "auth", "list", (CEDAR,)),
    (APP, (GUM, LISTS), "", "list", (HAZEL, HUB)),
    ("", (WWW, LISTS), "", "list", (ELM,)),
    (DESKTOP, (IVY, LISTS), "", "list", (DOGWOOD, STORE)),
    (OAK, (ELM, LISTS), "", "list", (LARCH,)),
    (LAPTOP, (MAPLE, ELM), "", "fetched", (CEDAR,)),
    (APP, (CEDAR, LISTS), "", "fetched", (BIRCH,)),
)
ROUTES = tuple(Route(number, *way) for number, way in enumerate(WAYS, 1))
# A handful of them, for the tests that make their chains anew: each server but Dovecot has its part.
FEW = tuple(route for route in ROUTES if set(route.hosts + route.onward) <= {SMTP, OUT, BIRCH, CEDAR, LISTS, GUM, MAPLE})
