"""The workshop: true chains made by real servers, forgeries made of them, and how both are judged."""
