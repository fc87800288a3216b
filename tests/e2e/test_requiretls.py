"""REQUIRETLS and "TLS-Required: No" (RFC 8689), in both roles."""
import smtplib
import ssl

import pytest

from house.certificates import Certificate
from test_mta_sts import Promises

MESSAGE = b"Subject: private\r\n\r\nsecret\r\n"


@pytest.fixture
def promises(tmp_path, hostile):
    made = Promises(tmp_path, hostile)
    yield made
    for web in made.webs.values():
        web.stop()


@pytest.fixture
def house(promises, postrider, dns):
    def make():
        server = dns({"far.example": promises.zone})
        return postrider({
            "dns": {"servers": [server]},
            "tls": {"authorities": promises.authority.file},
            "deliver": {"https_port": promises.web_port},
        })

    return make


def submit(near, recipient, message=MESSAGE, options=("REQUIRETLS",), sender="sender@house.example"):
    """As a client that has said STARTTLS."""
    with smtplib.SMTP(near.address, near.port, local_hostname="client.example") as client:
        client.starttls(context=ssl._create_unverified_context())
        client.ehlo()
        assert client.has_extn("requiretls")
        return client.sendmail(sender, recipient, message, mail_options=list(options))


def private(promises, name, requires=True, **options):
    """A domain with an enforced policy, whose host offers REQUIRETLS after STARTTLS, or does not."""
    recipient = promises.add(name, **options)
    promises.mail[name].keywords += ["REQUIRETLS"] if requires else []
    return recipient


def test_it_is_offered_and_taken_in_private_only(postrider, port):
    near = postrider(start=False)
    near.config["listen"].append({"address": f"{near.address}:{port + 1}", "mode": "mx", "tls": "implicit"})
    near.write()
    near.start()
    with smtplib.SMTP_SSL(near.address, port + 1, context=ssl._create_unverified_context()) as client:
        client.ehlo()
        assert client.has_extn("requiretls")
    client = near.client()
    assert "REQUIRETLS" not in client.hello().text
    client.expect(555, "MAIL FROM:<a@client.example> REQUIRETLS")


def test_it_goes_to_who_keeps_it_private_and_no_further(promises, house):
    good = private(promises, "good")
    bad = {
        private(promises, "lacks", requires=False): "does not promise that",
        private(promises, "testing", mode="testing", certificate=Certificate(promises.folder, "elsewhere.example")): "not to be trusted",
    }
    near = house()
    for recipient in (good, *bad):
        submit(near, recipient)
    mail = promises.mail["good"].wait()[0]
    assert mail.tls and "REQUIRETLS" in mail.parameters[0]
    event = near.wait("bounced", rcpt="you@lacks.far.example")
    assert event["status"] == "5.7.30" and "does not promise that" in event["text"]
    assert "not to be trusted" in near.wait("deferred", rcpt="you@testing.far.example")["text"]
    assert not promises.mail["lacks"].mail and not promises.mail["testing"].mail
    report = near.maildir("sender").one()
    assert b"5.7.30" in report and b"secret" not in report


def test_where_nobody_vouches_for_the_host_it_fails(promises, house):
    recipient = private(promises, "plain", mode="none")
    near = house()
    submit(near, recipient)
    event = near.wait("bounced", rcpt=recipient)
    assert event["status"] == "5.7.30" and "neither DNSSEC nor MTA-STS" in event["text"]
    assert not promises.mail["plain"].mail


def test_a_connection_made_without_it_is_not_used(promises, house):
    recipient = private(promises, "good", mode="none")
    near = house()
    submit(near, recipient, options=())
    promises.mail["good"].wait()
    submit(near, recipient)
    near.wait("bounced", rcpt=recipient)
    assert len(promises.mail["good"].mail) == 1


def test_tls_required_no_goes_past_the_policy(promises, house):
    recipient = promises.add("wrong", certificate=Certificate(promises.folder, "elsewhere.example"))
    near = house()
    submit(near, recipient, options=())
    assert near.wait("deferred", rcpt=recipient)["status"] == "4.7.5"
    near.submit(recipient, b"TLS-Required: \r\n no\r\n" + MESSAGE)
    assert b"secret" in promises.mail["wrong"].wait()[0].message
    submit(near, recipient, b"TLS-Required: No\r\n" + MESSAGE)  # REQUIRETLS is the stronger
    near.wait("deferred", count=2, rcpt=recipient)
    assert len(promises.mail["wrong"].mail) == 1
