"""SIGHUP and SIGTERM."""
import signal


def test_reload_takes_effect_and_keeps_sessions(house):
    with house.client() as client:
        client.hello()
        house.config["domains"]["new.example"] = {"mailboxes": f"maildir:{house.mail}/{{domain}}/{{local}}/", "users": ["*"]}
        house.write()
        house.process.send_signal(signal.SIGHUP)
        house.wait("reloaded")
        client.expect(250, "NOOP")
    house.submit("you@new.example", b"Subject: x\r\n\r\nhello\r\n")
    house.maildir("you", "new.example").one()


def test_a_bad_file_is_refused_and_the_old_one_stays(house):
    house.file.write_text("nonsense: [\n")
    house.process.send_signal(signal.SIGHUP)
    house.wait("reload-refused")
    house.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n")
    house.maildir("you").one()
    house.write()


def test_sigterm_leaves_the_queue(postrider, hostile):
    server = hostile({"mail": "451 4.3.0 no"})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}]})
    house.submit("you@far.example", b"Subject: x\r\n\r\nhello\r\n")
    house.wait("deferred")
    house.stop()
    house.start()
    assert "you@far.example" in house.run("queue", check=0).stdout.decode()
