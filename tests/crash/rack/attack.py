"""attack.py KIND COUNT ADDRESS PORT: so many clients that mean harm, from addresses of their own in
127.66.0.0/16, 40 from each. Says "ready" when all are there; who is cut off comes
again. Goes on until its standard input ends, then tells as JSON how often the server cut one off and what
it said last."""
import collections
import json
import resource
import selectors
import socket
import sys
import time

HELLO = b"EHLO client.example\r\n"
ENVELOPE = HELLO + b"MAIL FROM:<a@b.example>\r\nRCPT TO:<you@house.example>\r\n"
BODY = ENVELOPE + b"DATA\r\n"
LINE = b"x" * 70 + b"\r\n"

# KIND: what is said first, what is said again and again, how often (seconds; 0: without pause),
# and whether the replies are read.
KINDS = {
    "slow-command": (b"", b"E", 1, True),
    "slow-body": (BODY + b"Subject: x\r\n\r\n", b"x", 1, True),
    "hoard": (BODY + b"Subject: x\r\n\r\n" + (b"x" * 78 + b"\r\n") * 11000, b"x", 30, True),
    "endless-line": (b"", b"x" * 16384, 0, True),
    # As fast as 200 such clients over a line of 250 Mbit/s.
    "endless-header": (BODY, (b"X-Field: " + b"y" * 900 + b"\r\n") * 8, 0.05, True),
    "endless-header-line": (BODY + b"Subject:", b" y" * 4000, 0.05, True),
    "endless-recipients": (ENVELOPE, b"RCPT TO:<you@house.example>\r\n" * 50, 0, True),
    "endless-noop": (HELLO, b"NOOP\r\n" * 50, 0, True),
    "endless-rset": (HELLO, b"RSET\r\n" * 50, 0, True),
    "endless-vrfy": (HELLO, b"VRFY you\r\n" * 50, 0, True),
    "endless-hello": (b"", b"EHLO a\r\nHELO b\r\n" * 20, 0, True),
    "endless-mail": (HELLO, b"MAIL FROM:<a@b.example>\r\nRSET\r\n" * 20, 0, True),
    "deaf": (b"", b"EHLO client.example\r\n" * 700, 0, False),
    "half-closed": (ENVELOPE, None, 0, True),
}


class Attacker:
    def __init__(self, number, target, first, again):
        self.number, self.first, self.again = number, first, again
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((f"127.66.{number // 40 // 250}.{number // 40 % 250 + 1}", 0))
        self.socket.connect_ex(target)
        self.pending = b""
        self.said = b""

    def write(self, more=b""):
        """False: the server is gone."""
        if len(self.pending) < 65536:
            self.pending += more
        try:
            sent = self.socket.send(self.pending) if self.pending else 0
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.pending = self.pending[sent:]
        return True

    def say_no_more(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True

    def read(self):
        try:
            got = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.said = (self.said + got)[-200:]
        return got != b""


def main(kind, count, address, port):
    first, again, every, reads = KINDS[kind]
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    selector = selectors.DefaultSelector()
    alive, cut, last = {}, 0, collections.Counter()
    busy = selectors.EVENT_READ | selectors.EVENT_WRITE if every == 0 and again else selectors.EVENT_READ

    def gone(one):
        nonlocal cut
        cut += 1
        last[one.said.splitlines()[-1][:3].decode(errors="replace") if one.said.strip() else "nothing"] += 1
        selector.unregister(one.socket)
        one.socket.close()
        del alive[one.number]
        begun.discard(one.number)
        if told:
            come(one.number)  # again

    def come(number):
        one = Attacker(number, (address, port), first, again)
        alive[number] = one
        selector.register(one.socket, busy | selectors.EVENT_WRITE, one)

    begun, next_turn, told = set(), time.monotonic() + every, False
    since = spent = 0.0
    for number in range(count):
        come(number)
    selector.register(sys.stdin.buffer, selectors.EVENT_READ, None)
    begun, next_turn, told = set(), time.monotonic() + every, False
    turn = iter(())
    while True:
        for key, mask in selector.select(min(0.02, every) if every else 1):
            one = key.data
            if one is None:
                share = (time.process_time() - spent) / (time.monotonic() - since)
                print(json.dumps({"cut": cut, "alive": len(alive), "last": dict(last), "cores": round(share, 2)}), flush=True)
                return
            good = True
            if mask & selectors.EVENT_WRITE:
                if one.number not in begun:
                    begun.add(one.number)
                    good = one.write(first)
                    if kind == "half-closed" and good:
                        good = one.say_no_more()
                elif every == 0 and again:
                    good = one.write(again)
                else:
                    good = one.write()
                if good and not one.pending and busy == selectors.EVENT_READ:
                    selector.modify(one.socket, busy, one)
            if good and mask & selectors.EVENT_READ and reads:
                good = one.read()
            if not good:
                gone(one)
        if not told and len(begun) + cut >= count and (every == 0 or not any(one.pending for one in alive.values())):
            told = True
            since, spent = time.monotonic(), time.process_time()
            print("ready", flush=True)
        if every and told:  # a piece each, spread over the time between two
            turn = iter(list(alive.values())) if time.monotonic() >= next_turn else turn
            next_turn += every if time.monotonic() >= next_turn else 0
            for _, one in zip(range(count // 40 + 1 if every >= 1 else count), turn):
                # whoever was cut off since the list was made has a successor of the same number
                if alive[one.number] is one and not one.write(again):
                    gone(one)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
