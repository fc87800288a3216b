"""Messages as lists of header fields, and mbox files of them."""
import re


def write(path, messages):
    """mboxrd; `messages` with LF."""
    with open(path, "wb") as out:
        for text in messages:
            out.write(b"From anna@alder.example Thu Jan  1 00:00:00 1970\n")
            out.write(re.sub(rb"(?m)^(>*From )", rb">\1", text))
            out.write(b"\n" if text.endswith(b"\n") else b"\n\n")


def read(path):
    parts = re.split(rb"(?:\A|(?<=\n\n))From [^\n]*\n", path.read_bytes())
    return [re.sub(rb"(?m)^>(>*From )", rb"\1", part[:-1]) for part in parts if part]


def fields_of(text):
    """(fields, rest): each field as it stands, with its folds and last line end; the rest from the
    empty line on."""
    head, _, body = text.partition(b"\n\n")
    return re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*", head + b"\n"), b"\n" + body


def is_received(field):
    return field[:9].lower() == b"received:"


def received_of(text):
    return [field for field in fields_of(text)[0] if is_received(field)]
