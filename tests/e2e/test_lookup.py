"""VRFY and EXPN in each configuration (RFC 5321 3.5)."""
import pytest

STRANGER = "127.9.9.9"


@pytest.fixture
def people(postrider, tmp_path):
    def make(networks="127.0.0.0/8", **policy):
        (tmp_path / "users").write_text(
            "box: Bo Xavier\njane: Jane Doe\njones: Pat Smith\nsmith: Pat Smith\n"
        )
        (tmp_path / "aliases").write_text(
            "team: box, jane, away@far.example\nfwd: someone@far.example\n"
        )
        domain = {"users": str(tmp_path / "users"), "aliases": str(tmp_path / "aliases")}
        return postrider(
            {"policy": policy, "networks": [networks], "domains": {"house.example": domain}}
        )

    return make


def ask(client, command, code, status):
    reply = client.ask(command)
    assert (reply.code, reply.status) == (code, status), f"{command!r}: {reply}"
    return reply


def test_nobody_is_told_by_default(people):
    with people().client() as client:
        client.hello()
        for what in ("box", "box@house.example", "nobody"):
            ask(client, f"VRFY {what}", 252, "2.5.2")
        for what in ("team", "nothing"):
            ask(client, f"EXPN {what}", 502, "5.7.1")


@pytest.mark.parametrize("policy", ["networks", "anyone"])
def test_vrfy_verifies(people, policy):
    with people(vrfy=policy).client() as client:
        client.hello()
        assert "Bo Xavier <box@house.example>" in ask(client, "VRFY box", 250, "2.1.5").text
        assert "<box@house.example>" in client.expect(250, "VRFY <box@house.example>").text
        assert "Jane Doe <jane@house.example>" in client.expect(250, "VRFY Jane Doe").text
        assert "someone@far.example" in ask(client, "VRFY fwd", 251, "2.1.5").text
        ask(client, "VRFY team@house.example", 250, "2.1.5")
        ask(client, "VRFY stranger@far.example", 252, "2.5.2")
        ask(client, "VRFY nobody", 550, "5.1.1")
        ask(client, "VRFY nobody@house.example", 550, "5.1.1")
        both = ask(client, "VRFY Pat Smith", 553, "5.1.4").text
        assert "jones@house.example" in both and "smith@house.example" in both
        assert "someone@far.example" in ask(client, "VRFY fwd@house.example", 251, "2.1.5").text
        ask(client, "EXPN team", 502, "5.7.1")


def test_expn_tells_members_line_by_line(people):
    with people(expn="networks").client() as client:
        client.hello()
        reply = ask(client, "EXPN team", 250, "2.1.5")
        assert len(reply.lines) == 3
        for member in ("<box@house.example>", "<jane@house.example>", "<away@far.example>"):
            assert any(member in line for line in reply.lines), reply
        assert len(ask(client, "EXPN team@house.example", 250, "2.1.5").lines) == 3
        ask(client, "EXPN box", 550, "5.1.1")
        ask(client, "EXPN nothing", 550, "5.1.1")


def test_networks_means_own_networks_only(people):
    with people("127.0.0.1", vrfy="networks", expn="networks").client(source=STRANGER) as client:
        client.hello()
        ask(client, "VRFY box", 252, "2.5.2")
        ask(client, "EXPN team", 502, "5.7.1")


def test_anyone_means_strangers_too(people):
    with people("127.0.0.1", vrfy="anyone", expn="anyone").client(source=STRANGER) as client:
        client.hello()
        ask(client, "VRFY box", 250, "2.1.5")
        ask(client, "EXPN team", 250, "2.1.5")
