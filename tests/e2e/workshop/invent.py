"""Received lines as forgers make them up: well formed, in the forms of real servers, of hosts that had
nothing to do with the message. All from a seed."""
import datetime
import random
import string

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"  # Postfix: no vowels
SENDMAIL_YEAR = string.digits + string.ascii_uppercase + string.ascii_lowercase[:24]  # 60 of them

# (name, its address): whom a forger likes to have had his mail from.
BYSTANDERS = (
    ("mx1.firstbank.example", "216.58.40.9"), ("smtp-out.bigmail.example", "209.85.7.41"),
    ("relay2.university.example", "128.6.68.133"), ("mail.taxoffice.example", "193.17.9.20"),
    ("edge07.payments.example", "64.4.240.77"), ("mta-12.shop.example", "54.240.8.12"),
    ("mail.lawyers.example", "80.67.18.110"), ("out-4.parcels.example", "146.20.161.3"),
    ("mx.airline.example", "12.130.139.8"), ("post.ministry.example", "195.245.230.51"),
)  # fmt: skip
CLIENTS = ("WIN-7Q2K9", "localhost", "User", "mail", "PC-ANNA", "ip-172-31-5-9")


def digits(number, alphabet, width):
    text = ""
    for _ in range(width):
        number, rest = divmod(number, len(alphabet))
        text = alphabet[rest] + text
    return text


class Forger:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, alphabet, length):
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def address(self):
        """Somewhere public."""
        first = self.random.choice((12, 24, 46, 62, 77, 80, 94, 109, 146, 178, 188, 201, 217))
        return f"{first}.{self.random.randrange(1, 255)}.{self.random.randrange(1, 255)}.{self.random.randrange(1, 255)}"

    def date(self, when, named=True, zone=None):
        offset = zone if zone is not None else self.random.choice((-480, -300, 0, 60, 120, 330, 540))
        local = datetime.datetime.fromtimestamp(when, datetime.timezone(datetime.timedelta(minutes=offset)))
        text = local.strftime("%a, %d %b %Y %H:%M:%S %z")
        names = {-480: "PST", -300: "EST", 0: "UTC", 60: "CET", 120: "CEST", 330: "IST", 540: "JST"}
        return f"{text} ({names[offset]})" if named and offset in names else text

    def id_of(self, software, when):
        if software == "postfix":
            if self.random.random() < 0.5:
                return self.some("0123456789ABCDEF", self.random.choice((10, 11)))
            micro = self.random.randrange(1000000)
            return digits(when, BASE52, 6) + digits(micro, BASE52, 4) + "z" + self.some(BASE52, self.random.choice((3, 4)))
        if software == "exim":
            return f"1{digits(when, BASE62, 6)[1:]}-{self.some(BASE62, 6)}-{self.some(BASE62, 2)}"
        if software == "sendmail":
            at = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
            year = SENDMAIL_YEAR[(at.year - 1900) % 60]
            stamp = year + SENDMAIL_YEAR[at.month - 1] + "".join(SENDMAIL_YEAR[n] for n in (at.day, at.hour, at.minute, at.second))
            return f"{stamp}{self.random.randrange(1000, 999999):06d}"
        return self.some("0123456789abcdef", 8)

    def line(self, peer, by, when, to="bo@house.example"):
        """`peer`: (HELO, name by DNS or None, address)"""
        software = self.random.choice(("postfix", "postfix", "exim", "exim", "sendmail", "qmail", "exchange", "opensmtpd"))
        return getattr(self, software)(peer, by, when, to)

    def postfix(self, peer, by, when, to):
        helo, rdns, ip = peer
        return (f"Received: from {helo} ({rdns or 'unknown'} [{ip}])\n\tby {by} (Postfix) with "
                f"{self.random.choice(('ESMTP', 'ESMTPS'))} id {self.id_of('postfix', when)}\n"
                f"\tfor <{to}>; {self.date(when)}\n")  # fmt: skip

    def exim(self, peer, by, when, to):
        helo, rdns, ip = peer
        start = f"{rdns} ([{ip}]{'' if rdns == helo else f' helo={helo}'})" if rdns else f"[{ip}] (helo={helo})"
        return (f"Received: from {start}\n\tby {by} with {self.random.choice(('esmtp', 'esmtps'))} (Exim 4.96)\n"
                f"\t(envelope-from <info@{by.split('.', 1)[-1]}>)\n\tid {self.id_of('exim', when)}\n\tfor {to};\n"
                f"\t{self.date(when, named=False)}\n")  # fmt: skip

    def sendmail(self, peer, by, when, to):
        helo, rdns, ip = peer
        seen = f"{rdns} [{ip}]" if rdns else f"[{ip}]"
        return (f"Received: from {helo} ({seen})\n\tby {by} (8.15.2/8.15.2) with ESMTP id {self.id_of('sendmail', when)}\n"
                f"\tfor <{to}>; {self.date(when, named=False)}\n")  # fmt: skip

    def qmail(self, peer, by, when, _):
        helo, rdns, ip = peer
        at = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
        return (f"Received: from {rdns or 'unknown'} (HELO {helo}) ({ip})\n  by {by} with SMTP; "
                f"{at.day} {at.strftime('%b %Y %H:%M:%S')} -0000\n")  # fmt: skip

    def exchange(self, peer, by, when, _):
        helo, _, ip = peer
        return (f"Received: from {helo} ({ip}) by {by}\n ({self.address()}) with Microsoft SMTP Server "
                f"(version=TLS1_2,\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.{self.random.randrange(1000, 2600)}."
                f"{self.random.randrange(1, 40)};\n {self.date(when, named=False, zone=0)}\n")  # fmt: skip

    def opensmtpd(self, peer, by, when, to):
        helo, rdns, ip = peer
        return (f"Received: from {helo} ({rdns or '<unknown>'} [{ip}])\n\tby {by} (OpenSMTPD) with ESMTP id "
                f"{self.some('0123456789abcdef', 8)}\n\tfor <{to}>;\n\t{self.date(when)}\n")  # fmt: skip

    def history(self, count, when, by=None):
        """A past of `count` lines that fit each other, the newest first: handed from bystander to
        bystander. `by`: who is said to have written the first."""
        hosts = self.random.sample(BYSTANDERS, count)
        writers = [(by or hosts[0][0], hosts[0][1]), *hosts[1:]]
        lines = []
        for n, (name, _) in enumerate(writers):
            when -= self.random.randrange(1, 40)
            if n + 1 < count:
                peer_name, peer_ip = writers[n + 1]
                peer = (peer_name, peer_name, peer_ip)
            else:
                peer = (self.random.choice(CLIENTS), None, self.address())
            lines.append(self.line(peer, name, when))
        return lines
