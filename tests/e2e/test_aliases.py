"""Aliases, lists, catch-all, tags, forwarding (RFC 5321 3.9, aliases(5))."""
import pytest

from house import ground
from house.mailbox import Maildir, fields

HEAD = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture
def with_aliases(postrider, tmp_path):
    """with_aliases(text, …): a Postrider with that alias file, its path as `.aliases`."""

    def make(text, users=("anna", "ben"), domain=None, **config):
        path = tmp_path / "aliases"
        path.write_text(text.replace("DIR", str(tmp_path)))
        keys = {"users": list(users), "aliases": str(path), **(domain or {})}
        house = postrider({"domains": {"house.example": keys}, **config})
        house.aliases = path
        return house

    return make


def deliver(house, to, sender="sender@client.example"):
    queue_id = house.submit(to, HEAD, sender=sender)
    house.wait("removed", id=queue_id)
    return queue_id


def counts(house, *users):
    return [house.maildir(user).count() for user in users]


def test_nested_aliases_reach_each_person_once(with_aliases):
    house = with_aliases("all: team, boss, anna\nteam: anna, ben\nboss: ben, \\anna\n")
    deliver(house, "all@house.example")
    ground.until("both", lambda: counts(house, "anna", "ben") == [1, 1])
    assert counts(house, "anna", "ben") == [1, 1]


def test_an_alias_to_its_own_name_is_the_mailbox(with_aliases):
    house = with_aliases("anna: anna, ben\n")
    deliver(house, "anna@house.example")
    ground.until("both", lambda: counts(house, "anna", "ben") == [1, 1])


def test_circles_of_aliases_end(with_aliases):
    house = with_aliases("one: two\ntwo: three, ben\nthree: one\n")
    deliver(house, "one@house.example", sender="anna@house.example")
    house.maildir("ben").wait(1)
    assert house.maildir("ben").count() == 1


def test_only_a_circle_comes_back_as_5_4_6(with_aliases):
    house = with_aliases("one: two\ntwo: one\n")
    deliver(house, "one@house.example", sender="anna@house.example")
    assert b"5.4.6" in house.maildir("anna").one()


def test_an_included_list_with_comments_and_a_nested_one(with_aliases, tmp_path):
    (tmp_path / "outer").write_text(f"# the list\nanna\n:include:{tmp_path}/inner\n")
    (tmp_path / "inner").write_text("Ben <ben@house.example>\n")
    house = with_aliases("list: :include:DIR/outer\n")
    deliver(house, "list@house.example")
    ground.until("both", lambda: counts(house, "anna", "ben") == [1, 1])


def test_the_owner_of_a_list_becomes_its_sender(with_aliases, hostile):
    far = hostile()
    house = with_aliases(
        "list: anna, you@far.example\nowner-list: ben\n",
        transports=[{"match": "*", "to": f"smtp://{far.address}"}],
    )
    house.submit("list@house.example", HEAD)
    (mail,) = far.wait()
    assert mail.sender == "owner-list@house.example"
    assert fields(house.maildir("anna").one(), "Return-Path") == [b"<owner-list@house.example>"]


def test_the_owner_gets_the_bounces_and_the_sender_does_not(with_aliases, hostile):
    far = hostile({"rcpt": "550 5.1.1 gone"})
    house = with_aliases(
        "list: you@far.example\nowner-list: ben\n",
        transports=[{"match": "far.example", "to": f"smtp://{far.address}"}],
    )
    house.submit("list@house.example", HEAD, sender="anna@house.example")
    assert b"you@far.example" in house.maildir("ben").one()
    assert house.maildir("anna").count() == 0


def test_forwarding_keeps_the_sender_and_tells_what_was_asked_for(with_aliases, hostile):
    far = hostile()
    house = with_aliases(
        "anna: other@far.example\n", transports=[{"match": "*", "to": f"smtp://{far.address}"}]
    )
    house.submit("anna@house.example", HEAD)
    (mail,) = far.wait()
    assert (mail.sender, mail.recipients) == ("sender@client.example", ["other@far.example"])


def test_files_and_programs_of_the_alias_file(with_aliases, tmp_path):
    house = with_aliases(f"box: DIR/mbox\ndir: DIR/dir/\nprog: \"|/usr/bin/tee {tmp_path}/tee\"\n")
    for name in ("box", "dir", "prog"):
        deliver(house, f"{name}@house.example")
    house.wait("delivered", 3)
    assert b"hello" in house.mbox(tmp_path / "mbox").one()
    assert b"hello" in Maildir(tmp_path / "dir").one()
    assert b"hello" in (tmp_path / "tee").read_bytes()


def test_an_included_file_may_name_no_program(postrider, tmp_path):
    (tmp_path / "list").write_text("|/bin/sh\n")
    (tmp_path / "aliases").write_text(f"list: :include:{tmp_path}/list\n")
    keys = {"users": ["anna"], "aliases": str(tmp_path / "aliases")}
    house = postrider({"domains": {"house.example": keys}}, start=False)
    done = house.run("check")
    assert b"list:1:" in done.stdout + done.stderr


def test_a_tag_is_left_aside_but_an_address_with_it_goes_first(with_aliases):
    house = with_aliases("anna+sales: ben\n")
    deliver(house, "anna+news@house.example")
    deliver(house, "anna+sales@house.example")
    house.maildir("anna").wait(1)
    house.maildir("ben").wait(1)


def test_another_separator_and_none(with_aliases):
    house = with_aliases("", users=["anna"], domain={"tag_separator": "-"})
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<>")
        client.expect(250, "RCPT TO:<anna-news@house.example>")
        client.expect(550, "RCPT TO:<anna+news@house.example>")


def test_catch_all_takes_only_what_nobody_else_takes(with_aliases):
    house = with_aliases("sales: ben\n", domain={"catch_all": "anna"})
    for to in ("ben", "sales", "whoever", "postmaster"):
        deliver(house, f"{to}@house.example")
    ground.until("all four", lambda: sum(counts(house, "anna", "ben")) == 4)
    assert house.maildir("ben").count() >= 2


def test_unknown_users_are_refused_at_once(with_aliases):
    house = with_aliases("sales: ben\n")
    with house.client() as client:
        client.hello()
        client.expect(250, "MAIL FROM:<>")
        reply = client.expect(550, "RCPT TO:<nobody@house.example>")
        assert reply.status == "5.1.1"
        client.expect(250, "RCPT TO:<SALES@House.Example>")
        client.expect(250, "RCPT TO:<postmaster@house.example>")


def test_two_domains_share_a_file_and_have_their_own_names(postrider, tmp_path):
    (tmp_path / "aliases").write_text("info@one.example: anna@one.example\ninfo@two.example: ben@two.example\n")
    keys = {"users": ["anna", "ben"], "aliases": str(tmp_path / "aliases")}
    keys["mailboxes"] = f"maildir:{tmp_path}/mail/{{domain}}/{{local}}/"
    house = postrider({"domains": {"one.example": dict(keys), "two.example": dict(keys)}})
    house.submit(["info@one.example", "info@two.example"], HEAD)
    Maildir(tmp_path / "mail/one.example/anna").wait(1)
    Maildir(tmp_path / "mail/two.example/ben").wait(1)


def test_a_changed_alias_file_counts_after_sighup(with_aliases):
    import signal

    house = with_aliases("info: anna\n")
    deliver(house, "info@house.example")
    house.aliases.write_text("info: ben\n")
    house.process.send_signal(signal.SIGHUP)
    house.wait("reloaded")
    deliver(house, "info@house.example")
    house.maildir("ben").wait(1)
    assert counts(house, "anna", "ben") == [1, 1]


def test_a_broken_alias_file_is_refused_and_the_old_one_stays(with_aliases):
    import signal

    house = with_aliases("info: anna\n")
    house.aliases.write_text("info: :include:/no/such/file\n")
    house.process.send_signal(signal.SIGHUP)
    reason = house.wait("reload-refused")["reason"]
    assert "aliases:1:" in reason or "/no/such/file" in reason
    deliver(house, "info@house.example")
    house.maildir("anna").wait(1)


def test_mail_in_a_circle_of_hosts_ends(house):
    received = b"Received: from a by b; Tue, 24 Nov 2026 07:00:00 +0000\r\n"
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "box@house.example")
        assert client.data(received * 99 + HEAD).code == 250
        client.envelope("a@b.example", "box@house.example")
        reply = client.data(received * 101 + HEAD)
        assert (reply.code, reply.status) == (554, "5.4.6")
        client.envelope("a@b.example", "box@house.example")
        reply = client.data(b"Delivered-To: box@house.example\r\n" + HEAD)
        assert (reply.code, reply.status) == (554, "5.4.6")
        client.envelope("a@b.example", "box@house.example")
        assert client.data(b"Delivered-To: other@house.example\r\n" + HEAD).code == 250
    house.maildir("box").wait(2)


def test_two_hosts_that_forward_to_each_other_end_it(postrider, tmp_path):
    """The address of one leads to the other and back: the loop is found, the sender told once."""
    one, two = ground.address(), ground.address()
    made = []
    for name, mine, other in (("one", one, two), ("two", two, one)):
        other_name = "two" if name == "one" else "one"
        (tmp_path / f"{name}.aliases").write_text(f"info: info@{other_name}.example\n")
        keys = {"users": ["anna"], "aliases": str(tmp_path / f"{name}.aliases"),
                "mailboxes": f"maildir:{tmp_path}/{name}/{{local}}/"}
        made.append(postrider(
            {"hostname": f"mx.{name}.example", "domains": {f"{name}.example": keys},
             "limits": {"received": 10},
             "transports": [{"match": f"{other_name}.example", "to": f"smtp://{other}"}]},
            name=name, address=mine))
    made[0].submit("info@one.example", HEAD, sender="anna@one.example")
    assert b"5.4.6" in Maildir(tmp_path / "one/anna").one(patience=30)
