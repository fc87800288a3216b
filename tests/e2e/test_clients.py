"""Real clients hand over a message, and exactly one copy arrives."""
import os
import shutil
import smtplib
import subprocess

import pytest

from house import ground, unpacked

NODEMAILER = """
const [library, host, port] = process.argv.slice(1);
const chunks = [];
process.stdin.on('data', c => chunks.push(c)).on('end', () =>
  require(library).createTransport({host, port: Number(port), ignoreTLS: true}).sendMail({
    envelope: {from: 'me@client.example', to: ['you@house.example']}, raw: Buffer.concat(chunks)
  }).then(i => console.log(i.response), e => { console.error(e); process.exit(1); }));
"""
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


def test_nodemailer(house):
    needs("node")
    library = unpacked.file("usr/share/nodejs/nodemailer")
    run(["node", "-e", NODEMAILER, library, house.address, str(house.port)], input=MESSAGE)
    one_copy(house)


def test_nullmailer(house, tmp_path):
    if not unpacked.can_be_installed():
        pytest.skip("no mounts in a namespace here: needs root")
    machine = tmp_path / "machine"
    (machine / "etc/nullmailer").mkdir(parents=True)
    (machine / "etc/nullmailer/remotes").write_text(f"{house.address} smtp --port={house.port}\n")
    (machine / "etc/mailname").write_text("client.example\n")
    for name in ("queue", "tmp", "failed"):
        (machine / "spool/nullmailer" / name).mkdir(parents=True)
        (machine / "spool/nullmailer" / name).chmod(0o777)  # its parts run as several users
    os.mkfifo(machine / "spool/nullmailer/trigger")
    (machine / "spool/nullmailer/trigger").chmod(0o666)
    run(unpacked.as_installed(machine, "/usr/bin/nullmailer-inject", "-f", "me@client.example", "you@house.example"),
        input=MESSAGE.replace(b"\r\n", b"\n"))
    sender = subprocess.Popen(unpacked.as_installed(machine, "/usr/sbin/nullmailer-send"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        one_copy(house)
        ground.until("nullmailer's queue is empty",
                     lambda: not list((machine / "spool/nullmailer/queue").iterdir()))
    finally:
        sender.terminate()
        sender.wait()


@pytest.mark.parametrize("sessions, count", [(1, 1), (5, 20)])
def test_postfix_smtp_source(house, sessions, count):
    program = unpacked.file("usr/sbin/smtp-source")
    run([program, "-c", "-s", str(sessions), "-m", str(count), "-l", "2000", "-f", "me@client.example",
         "-t", "you@house.example", f"inet:{house.address}:{house.port}"], env=unpacked.libraries())
    house.wait("removed", count)
    assert house.maildir("you").count() == count


def test_msmtp_as_sendmail_reads_recipients_from_the_header(house):
    needs("msmtp")
    run(["msmtp", "--host", house.address, "--port", str(house.port), "--from", "me@client.example",
         "--auth=off", "--tls=off", "-t"], input=b"Bcc: two@house.example\n" + MESSAGE.replace(b"\r\n", b"\n"))
    one_copy(house)
    assert b"two@house.example" not in house.maildir("two").one().split(b"\n\n")[0].replace(
        b"Delivered-To: two@house.example", b"")


def test_a_message_tells_where_it_came_from(house):
    house.submit("you@house.example", MESSAGE, helo="liar.example")
    message = one_copy(house)
    assert b"Return-Path: <sender@client.example>" in message
    assert b"Delivered-To: you@house.example" in message
    assert b"Received: from liar.example (unverified [127." in message
