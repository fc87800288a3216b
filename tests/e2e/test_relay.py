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
