"""What the end-to-end tests stand on: a Postrider of their own, peers, DNS, mailboxes."""
