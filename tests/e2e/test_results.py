"""Authentication-Results from outside that bear our name do not get in (RFC 8601 section 5)."""
from house import mailbox

MESSAGE = b"""Authentication-Results: mx.house.example;
\tspf=pass smtp.mailfrom=bank.example
Authentication-Results: mx.other.example; spf=fail
Subject: trust me
authentication-results: (ours) mx.house.example; dkim=pass

Authentication-Results: mx.house.example; it=stays
"""


def delivered(house):
    house.submit("anna@house.example", mailbox.to_crlf(MESSAGE))
    return house.maildir("anna").wait(1)[0]


def test_results_under_our_name_from_outside_are_removed(postrider):
    message = delivered(postrider({"networks": ["192.0.2.0/24"]}))
    assert mailbox.fields(message, "Authentication-Results") == [b"mx.other.example; spf=fail"]
    assert mailbox.fields(message, "Subject") == [b"trust me"]
    assert mailbox.split(message)[1] == b"Authentication-Results: mx.house.example; it=stays\n"


def test_our_own_hosts_may_bring_results_back(postrider):
    message = delivered(postrider())
    assert len(mailbox.fields(message, "Authentication-Results")) == 3
