"""Mail is taken for own domains and from own networks, for nobody else."""


def relay(house, source, recipient="you@elsewhere.example"):
    with house.client(source=source) as client:
        client.hello()
        client.expect(250, "MAIL FROM:<a@b.example>")
        return client.ask(f"RCPT TO:<{recipient}>")


def test_strangers_may_not_relay(postrider):
    house = postrider({"networks": ["192.0.2.0/24"]})
    reply = relay(house, None)
    assert reply.code in (550, 554) and reply.status == "5.7.1"
    assert relay(house, None, "you@house.example").code == 250


def test_tricks_to_relay_do_not_work(postrider):
    house = postrider({"networks": ["192.0.2.0/24"]})
    for trick in ("you%elsewhere.example@house.example.evil", "@house.example:you@elsewhere.example",
                  '"you@elsewhere.example"@other.example', "you@[192.0.2.9]"):
        assert relay(house, None, trick).code >= 500, trick


def test_own_networks_may_relay(house):
    assert relay(house, None).code == 250


def test_an_open_relay_must_be_asked_for_in_words(postrider):
    one = postrider({"networks": ["0.0.0.0/0"]}, start=False)
    done = one.run("check")
    assert done.returncode == 1 and b"open-relay-i-know" in done.stderr
    one.config["networks"] = ["192.0.2.0/24"]
    one.config["relay"] = "open-relay-i-know"
    one.write()
    done = one.run("check")
    assert done.returncode == 0 and b"warning" in done.stderr
    one.start()
    assert relay(one, None).code == 250


# What testers of open relays have tried for decades, for a recipient elsewhere.
TRICKS = [
    "you@elsewhere.example", "you%elsewhere.example@[127.0.0.1]", '"you%elsewhere.example"@other.example',
    "elsewhere.example!you@other.example", "@elsewhere.example:you@other.example",
    "@house.example,@mx.house.example:you@elsewhere.example", '"you@elsewhere.example"@[127.0.0.1]',
    "you@[192.0.2.1]", "you@[IPv6:2001:db8::1]", "you@house.example.elsewhere.example",
    "you@sub.house.example", "you@house.example@elsewhere.example", "you@elsewhere.example@house.example",
]  # fmt: skip


def test_no_form_of_address_relays(postrider):
    house = postrider({"networks": ["192.0.2.0/24"], "hostname": "mx.house.example"})
    for sender in ("a@b.example", "", "you@house.example", "a@[127.0.0.1]"):
        with house.client() as client:
            client.hello()
            client.expect(250, f"MAIL FROM:<{sender}>")
            for trick in TRICKS:
                assert client.ask(f"RCPT TO:<{trick}>").code // 100 == 5, (sender, trick)
            client.expect(554, "DATA")


def test_what_looks_local_by_percent_and_bang_is_a_local_part(postrider):
    """a%b@own and b!a@own name a mailbox here, and are sent nowhere."""
    house = postrider({"networks": ["192.0.2.0/24"], "domains": {"house.example": {"users": ["anna"]}}})
    for trick in ("you%elsewhere.example@house.example", "elsewhere.example!you@house.example",
                  '"you@elsewhere.example"@house.example'):
        assert relay(house, None, trick).code == 550, trick


def test_a_helo_or_sender_of_ours_opens_nothing(postrider):
    house = postrider({"networks": ["192.0.2.0/24"]})
    with house.client() as client:
        client.hello("mx.house.example")
        client.expect(250, "MAIL FROM:<box@house.example>")
        client.expect(550, "RCPT TO:<you@elsewhere.example>")


def test_networks_are_matched_by_their_bits(postrider):
    house = postrider({"networks": ["127.0.8.0/22", "127.0.0.5"]})
    for source, code in (("127.0.8.1", 250), ("127.0.11.255", 250), ("127.0.12.1", 550),
                         ("127.0.7.255", 550), ("127.0.0.5", 250), ("127.0.0.6", 550)):
        assert relay(house, source).code == code, source


def test_a_transport_is_no_leave_to_relay(postrider, hostile):
    server = hostile()
    house = postrider({"networks": ["192.0.2.0/24"], "transports": [{"match": "*", "to": f"smtp://{server.address}"}]})
    assert relay(house, None).code == 550
