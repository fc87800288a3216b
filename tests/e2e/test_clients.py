"""Real clients hand over a message, and exactly one copy arrives."""
import shutil
import smtplib
import subprocess

import pytest

MESSAGE = b"From: <me@client.example>\r\nTo: <you@house.example>\r\nSubject: hello\r\n\r\nIt works.\r\n"


def run(command, **options):
    done = subprocess.run(command, capture_output=True, timeout=60, **options)
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def needs(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def one_copy(house):
    message = house.maildir("you").one()
    house.wait("removed")
    assert house.maildir("you").count() == 1
    assert b"It works." in message
    return message


def test_swaks(house):
    needs("swaks")
    run(["swaks", "--server", house.address, "--port", str(house.port), "--from", "me@client.example",
         "--to", "you@house.example", "--body", "It works."])
    one_copy(house)


def test_curl(house, tmp_path):
    needs("curl")
    (tmp_path / "mail").write_bytes(MESSAGE)
    run(["curl", "-sS", f"smtp://{house.address}:{house.port}", "--mail-from", "me@client.example",
         "--mail-rcpt", "you@house.example", "-T", str(tmp_path / "mail")])
    one_copy(house)


def test_msmtp(house):
    needs("msmtp")
    run(["msmtp", "--host", house.address, "--port", str(house.port), "--from", "me@client.example",
         "--auth=off", "--tls=off", "you@house.example"], input=MESSAGE.replace(b"\r\n", b"\n"))
    one_copy(house)


def test_s_nail(house, tmp_path):
    needs("s-nail")
    run(["s-nail", "-:/", "-Sv15-compat", "-Ssmtp-auth=none",
         f"-Smta=smtp://{house.address}:{house.port}", "-Sfrom=me@client.example",
         "-Shostname=client.example", "-s", "hello", "you@house.example"], input=b"It works.\n",
        cwd=tmp_path)
    one_copy(house)


def test_smtplib(house):
    with smtplib.SMTP(house.address, house.port) as client:
        client.sendmail("me@client.example", ["you@house.example"], MESSAGE)
    one_copy(house)


def test_a_message_tells_where_it_came_from(house):
    house.submit("you@house.example", MESSAGE, helo="liar.example")
    message = one_copy(house)
    assert b"Return-Path: <sender@client.example>" in message
    assert b"Delivered-To: you@house.example" in message
    assert b"Received: from liar.example (unverified [127." in message
