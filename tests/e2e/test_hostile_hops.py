"""Next hops that want to hurt: bounded time and memory, the right outcome, and others' mail goes on."""
import re

import pytest

HEAD = b"Subject: x\r\n\r\nhello\r\n"
SHORT = {"connect": "1s", "greeting": "1s", "helo": "1s", "mail": "1s", "rcpt": "1s", "data_init": "1s",
         "data_block": "1s", "data_done": "1s", "quit": "1s"}
FLOOD = 10_000_000


def flood(session, phase, argument):
    """A greeting of 10 MB."""
    return b"220-" + b"x" * FLOOD if phase == "connect" else None


def flood_of_lines(session, phase, argument):
    return b"220-and on and on it goes\r\n" * (FLOOD // 27) if phase == "connect" else None


def drip(session, phase, argument):
    """Octet by octet, each long before the time-out."""
    while phase == "mail":
        session.send(b"2")
        session.server.closing.wait(0.1)


def ahead(session, phase, argument):
    """Answers to all that has not been asked yet."""
    return "220 x\r\n250 x\r\n250 x\r\n250 x\r\n354 x\r\n250 x" if phase == "connect" else None


def unordered(session, phase, argument):
    return {"mail": "354 go on", "rcpt": "220 hello", "data": "250 fine"}.get(phase)


def many_lines(session, phase, argument):
    return "250-x\r\n" * 1000 + "250 x" if phase == "rcpt" else None


def yes_and_close(session, phase, argument):
    return "DIE" if phase in ("body", "quit") else None


def garbage_for_tls(session, phase, argument):
    return b"220 go on\r\n" if phase == "starttls" else None


MALICE = {f.__name__: f for f in (flood, flood_of_lines, drip, ahead, unordered, many_lines, yes_and_close,
                                  garbage_for_tls)}


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


@pytest.fixture
def rig(postrider, hostile):
    """A Postrider, a good server, and one server for each malice, in a domain of its name."""
    servers = {name: hostile(script, keywords=["PIPELINING", "STARTTLS"] if "tls" in name else ["PIPELINING"])
               for name, script in MALICE.items()}
    good = hostile()
    domains = {name: name.replace("_", "-") + ".example" for name in servers}
    ways = [{"match": domains[name], "to": f"smtp://{server.address}"} for name, server in servers.items()]
    house = postrider({"transports": [*ways, {"match": "*", "to": f"smtp://{good.address}"}],
                       "queue": {"retry": ["1h"]}, "deliver": {"timeouts": SHORT}})
    return house, good, servers, domains


def test_hostile_servers_are_left_in_time_and_memory_while_other_mail_goes_on(rig):
    house, good, servers, domains = rig
    house.submit("you@good.example", HEAD)
    good.wait()
    before = memory(house.worker())
    ids = {name: house.submit(f"you@{domains[name]}", HEAD) for name in servers}
    house.submit("you@good.example", HEAD)
    good.wait(2, patience=3)
    house.wait("relayed", id=ids.pop("garbage_for_tls"), patience=10)  # in the clear: TLS is opportunistic
    for name, queue_id in ids.items():
        event = house.wait("deferred", id=queue_id, patience=10)
        assert event["status"] in ("4.4.2", "4.5.0"), (name, event)
        assert not servers[name].mail, name
        assert not house.seen("relayed", id=queue_id), name
    assert memory(house.worker()) - before < 48 << 20  # sanitizers keep what was freed for a while


def test_a_server_that_never_answers_quit_keeps_neither_mail_nor_the_server(postrider, hostile):
    server = hostile({"quit": "STALL"})
    house = postrider({"transports": [{"match": "*", "to": f"smtp://{server.address}"}],
                       "deliver": {"timeouts": SHORT, "connection_idle": "1s"}})
    queue_id = house.submit("you@far.example", HEAD)
    house.wait("removed", id=queue_id)
    server.wait_visit("quit")
    house.stop()
    assert len(server.mail) == 1
