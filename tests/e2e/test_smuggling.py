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
