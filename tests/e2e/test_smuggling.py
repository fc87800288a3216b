"""Whatever looks like an end of data is one, or a refusal: never a second message."""
import pytest

SMUGGLED = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<victim@house.example>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n"
ENDS = {
    "LF.LF": b"\n.\n",
    "CR.CR": b"\r.\r",
    "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r",
    "LF.CRLF": b"\n.\r\n",
    "CR.CRLF": b"\r.\r\n",
    "NUL": b"\r\n\0.\r\n",
    "NUL-after": b"\r\n.\0\r\n",
    "CRCRLF": b"\r\r\n.\r\r\n",
    "space": b"\r\n. \r\n",
}


def judge(house, codes):
    assert not house.maildir("victim").messages(), codes
    assert not [e for e in house.seen("mail") if "evil" in str(e.get("sender"))], codes


@pytest.mark.parametrize("name", ENDS)
def test_end_of_data(house, name):
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        client.expect(354, "DATA")
        client.send(b"Subject: x\r\n\r\nbody" + ENDS[name] + SMUGGLED + b"\r\n.\r\n")
        codes = [client.reply()]
        client.send(b"QUIT\r\n")
        try:
            while codes[-1].code != 221:
                codes.append(client.reply())
        except EOFError:
            pass
    judge(house, codes)
    assert len(house.maildir("you").messages()) <= 1


@pytest.mark.parametrize("name", ENDS)
def test_end_of_data_at_every_segment_border(house, name):
    """Cut anywhere, the same bytes get the same answer."""
    stream = b"Subject: x\r\n\r\nb" + ENDS[name] + b"c\r\n.\r\n"
    codes = set()
    for cut in range(len(stream) - len(ENDS[name]) - 8, len(stream)):
        with house.client() as client:
            client.hello()
            client.envelope("a@b.example", "you@house.example")
            client.expect(354, "DATA")
            client.send(stream[:cut])
            client.send(stream[cut:])
            codes.add(client.reply().code)
            client.send(b"QUIT\r\n")
    assert len(codes) == 1, codes


def test_what_bdat_carries_is_never_a_command(house):
    body = b"Subject: x\r\n\r\nbody\r\n.\r\n" + SMUGGLED
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        assert client.bdat(body, 5).code == 250
        client.expect(221, "QUIT")
    judge(house, [])
    assert SMUGGLED[-20:].replace(b"\r\n", b"\n").strip() in house.maildir("you").one().replace(b"\r\n", b"\n")


def test_a_stored_dot_line_cannot_end_the_message_at_the_next_server(postrider, hostile):
    next_hop = hostile(keywords=("PIPELINING",))
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{next_hop.address}"}]})
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@far.example")
        assert client.bdat(b"Subject: x\r\n\r\n.\r\n" + SMUGGLED).code == 250
    next_hop.wait()
    house.wait("removed")
    assert len(next_hop.mail) == 1 and b"evil" in next_hop.mail[0].message


def test_commands_in_bare_lf_are_refused(house):
    with house.client() as client:
        client.hello()
        client.send(b"MAIL FROM:<a@b.example>\nRCPT TO:<you@house.example>\r\n")
        assert client.reply().code in (500, 501)


BARE = {name: end for name, end in ENDS.items() if name not in ("NUL", "NUL-after", "space")}


def outcome(house, stream, cut=None):
    """Sends a message that holds something like an end of data, with another behind it; the codes."""
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        client.expect(354, "DATA")
        client.send(stream) if cut is None else client.send(stream[:cut], stream[cut:])
        client.send(b"QUIT\r\n")
        codes = []
        try:
            while not codes or codes[-1] != 221:
                codes.append(client.reply().code)
        except EOFError:
            pass
    return codes


@pytest.mark.parametrize("name", ENDS)
def test_split_anywhere_a_smuggled_message_is_no_message(house, name):
    """Every border of two segments, from the last octets before the fake end to those after it."""
    before = b"Subject: x\r\n\r\nbody"
    stream = before + ENDS[name] + SMUGGLED + b".\r\n"
    first = outcome(house, stream)
    for cut in range(len(before) - 1, len(before) + len(ENDS[name]) + 3):
        assert outcome(house, stream, cut) == first, cut
    judge(house, first)
    assert (first[0] == 550) == (name in BARE), first


@pytest.mark.parametrize("name", BARE)
def test_bdat_refuses_what_data_refuses_at_every_border_of_chunks(house, name):
    body = b"Subject: x\r\n\r\nb" + ENDS[name] + b"c\r\n"
    at = body.index(ENDS[name])
    with house.client() as client:
        client.hello()
        for cut in range(at, at + len(ENDS[name]) + 1):
            client.envelope("a@b.example", "you@house.example")
            client.send(f"BDAT {cut}\r\n".encode() + body[:cut], f"BDAT {len(body) - cut} LAST\r\n".encode() + body[cut:])
            codes = [client.reply().code, client.reply().code]
            assert codes[1] != 250, (cut, codes)
            client.expect(250, "RSET")
    assert house.maildir("you").count() == 0


def test_a_refused_chunk_is_not_read_as_commands(house):
    with house.client() as client:
        client.hello()
        client.send(f"BDAT {len(SMUGGLED)} LAST\r\n".encode() + SMUGGLED)
        client.expect(503)
        client.expect(250, "NOOP")
    judge(house, [])


def test_after_a_refused_data_what_was_pipelined_is_commands_and_no_body(house):
    with house.client() as client:
        client.hello()
        client.send(b"MAIL FROM:<a@b.example>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n")
        assert client.reply().code == 250 and client.reply().code == 503
        assert client.reply().code == 500 and client.reply().code == 500
        client.expect(221)


@pytest.mark.parametrize("name", BARE)
def test_normalised_line_ends_leave_nothing_to_smuggle_further(postrider, hostile, name):
    """What is mended is mended to CR LF, and its dots are stuffed on the way out."""
    next_hop = hostile(keywords=("PIPELINING", "8BITMIME"))
    house = postrider({"policy": {"line_endings": "normalise"},
                       "transports": [{"match": "far.example", "to": f"smtp://{next_hop.address}"}]})
    body = b"Subject: x\r\n\r\nbody" + ENDS[name] + SMUGGLED.replace(b"house.example", b"far.example")
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@far.example")
        client.expect(354, "DATA")
        client.send(body + b".\r\n" if body.endswith(b"\r\n.\r\n") is False else body)
        client.expect(250)
    (mail,) = next_hop.wait()
    house.wait("removed")
    assert len(next_hop.mail) == 1 and mail.recipients == ["you@far.example"]
    raw = next_hop.sessions[0].raw
    sent = raw[raw.index(b"DATA\r\n") + 6 :]
    assert b"\n" not in sent.replace(b"\r\n", b"") and b"\r" not in sent.replace(b"\r\n", b"")
    assert sent.count(b"\r\n.\r\n") == 1
    assert not [v for v in next_hop.visits if "evil" in str(v[1])]


def test_an_address_cannot_carry_a_command(house):
    with house.client() as client:
        client.hello()
        client.send(b'MAIL FROM:<"a\r\nRCPT TO:<victim@house.example>\r\n"@b.example>\r\n')
        assert client.reply().code == 501
        assert client.reply().code == 503
        assert client.reply().code in (500, 501)
        client.send(b'MAIL FROM:<"a\nRCPT TO:<victim@house.example>"@b.example>\r\n')
        assert client.reply().code == 500
    judge(house, [])


@pytest.mark.parametrize("reply", [b"250 ok\n250 2.0.0 taken\r\n", b"250-ok\r\n", b"250 ok\r250 x\r\n"])
def test_a_servers_replies_cannot_be_smuggled_either(postrider, hostile, reply):
    """One reply too many, or none that ends, is no proof that a message was taken."""
    next_hop = hostile({"mail": [reply], "rcpt": ["550 5.1.1 nobody here"]})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{next_hop.address}"}],
                       "queue": {"retry": ["1h"]}, "deliver": {"timeouts": {"mail": "1s", "rcpt": "1s"}}})
    house.submit("you@far.example", b"Subject: x\r\n\r\nx\r\n")
    until_over = lambda: house.seen("deferred") or house.seen("bounced")
    from house import ground
    ground.until("an outcome", until_over)
    assert not house.seen("relayed") and not next_hop.mail
