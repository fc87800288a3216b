"""What a client writes into a header so that its mail seems to come from elsewhere."""
import time

from .invent import Forger


def stuff(header, seed):
    """`header`: the client's own fields, without line ends. False lines, and now and then false
    results of tests, stand above, in between, or below."""
    forger = Forger(seed)
    lines = forger.history(forger.random.randrange(1, 4), int(time.time()) - 30)
    false = [line.rstrip("\n").replace("\n", "\r\n") for line in lines]
    if forger.random.random() < 0.3:
        false.insert(0, "Authentication-Results: mx.birch.example; spf=pass smtp.mailfrom=firstbank.example;\r\n"
                        "\tdkim=pass header.d=firstbank.example")  # fmt: skip
    if forger.random.random() < 0.3:
        false.append(f"X-Originating-IP: [{forger.address()}]")
    at = forger.random.choice((0, 0, 0, 3, len(header)))
    return header[:at] + false + header[at:]
