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


def test_a_reload_in_the_middle_of_a_message_harms_nothing(house):
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        client.expect(354, "DATA")
        client.send(b"Subject: x\r\n\r\nfirst\r\n")
        for count in range(1, 4):
            house.process.send_signal(signal.SIGHUP)
            house.wait("reloaded", count)
        client.send(b"second\r\n.\r\n")
        client.expect(250)
        client.expect(221, "QUIT")
    assert b"second" in house.maildir("you").one()


def test_a_reload_moves_listeners_and_keeps_sessions_of_the_old(house):
    from house import ground
    from house.smtp_client import Client

    stays, comes = {"address": f"{house.address}:{house.port}"}, ground.address()
    goes = ground.address()
    for address in (goes, comes):
        house.config["listen"] = [stays, {"address": f"{address}:{house.port}"}]
        house.write()
        house.process.send_signal(signal.SIGHUP)
        ground.until("the new listener", lambda: ground.accepts(address, house.port))
        if address == goes:
            old = Client(goes, house.port)
            old.hello()
    ground.until("the old one is closed", lambda: not ground.accepts(goes, house.port))
    old.expect(250, "NOOP")
    old.close()
    for address in (house.address, comes):
        with Client(address, house.port) as client:
            client.hello()


def test_a_listener_that_a_reload_cannot_open_is_told_and_the_others_stay(house):
    import socket

    with socket.socket() as other:
        other.bind((house.address, 0))
        other.listen()
        port = other.getsockname()[1]
        house.config["listen"].append({"address": f"{house.address}:{port}"})
        house.write()
        house.process.send_signal(signal.SIGHUP)
        assert house.wait("listen-failed")["port"] == port
    house.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n")


def test_new_limits_count_for_the_next_sessions(house):
    house.config["limits"] = {"message": "70000B"}
    house.write()
    house.process.send_signal(signal.SIGHUP)
    house.wait("reloaded")
    with house.client() as client:
        assert "SIZE 70000" in client.hello().text


def test_a_reload_under_load_loses_nothing(house):
    import threading

    taken = []

    def load():
        for _ in range(40):
            taken.append(house.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n"))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        before = len(house.seen("reloaded"))
        house.process.send_signal(signal.SIGHUP)
        house.wait("reloaded", before + 1)
    for thread in threads:
        thread.join()
    house.maildir("you").wait(120)
    assert len(set(taken)) == 120


def test_sigterm_lets_a_message_end_and_keeps_it(house):
    with house.client() as client:
        client.hello()
        client.envelope("a@b.example", "you@house.example")
        client.expect(354, "DATA")
        client.send(b"Subject: x\r\n\r\nhello\r\n")
        house.process.send_signal(signal.SIGTERM)
        house.wait("stopping")
        client.send(b".\r\n")
        taken = client.reply()
        assert taken.code in (250, 421)
        if taken.code == 250:
            client.expect(421, "NOOP")
        assert client.ended()
    house.stop()
    house.start()
    if taken.code == 250:
        house.maildir("you").one()
    assert house.maildir("you").count() == (taken.code == 250)


def test_after_sigterm_nobody_new_is_taken(house):
    from house import ground

    with house.client() as client:
        client.hello()
        house.process.send_signal(signal.SIGTERM)
        house.wait("stopping")
        ground.until("closed listeners", lambda: not ground.accepts(house.address, house.port))
        client.expect(421, "NOOP")


def test_asking_again_and_again_to_stop_does_not_spoil_the_end(house):
    house.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n")
    house.maildir("you").one()
    while house.process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            house.process.send_signal(number)
    house.stop()


def test_sigterm_in_the_middle_of_a_delivery_loses_nothing(postrider, hostile):
    server = hostile({"end": ["STALL"]})
    house = postrider({"transports": [{"match": "far.example", "to": f"smtp://{server.address}"}],
                       "queue": {"retry": ["200ms"]}})
    house.submit("you@far.example", b"Subject: x\r\n\r\nhello\r\n")
    server.wait_visit("end")
    house.stop()
    house.start()
    server.wait()


def test_two_servers_on_one_spool_are_refused(postrider, tmp_path):
    first = postrider()
    second = postrider({"spool": {"path": str(first.folder / "spool")}, "control": str(tmp_path / "c2")}, start=False)
    done = second.run("serve", "-c", second.file)
    assert done.returncode == 75 and b"cannot start" in done.stderr
    first.submit("you@house.example", b"Subject: x\r\n\r\nhello\r\n")
    first.maildir("you").one()
