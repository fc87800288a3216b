"""The users that mail servers want to find, without making any on the machine: nss_wrapper shows
them a passwd and a group file of ours. Root's rights are the same as ever."""
import ctypes

LIBRARY = "libnss_wrapper.so"
USERS = {"root": 0, "daemon": 1, "postfix": 2001, "Debian-exim": 2002, "dovecot": 2003, "dovenull": 2004, "mailer": 2005, "opensmtpd": 2007, "opensmtpq": 2008, "nobody": 65534}
GROUPS = {**USERS, "postdrop": 2006, "mail": 8, "nogroup": 65534}


def available():
    try:
        return ctypes.CDLL(LIBRARY) is not None
    except OSError:
        return False


def environment(folder):
    """Writes both files, and returns what a server's environment needs."""
    home = "/"
    passwd = "".join(f"{n}:x:{i}:{i}::{home}:/bin/sh\n" for n, i in USERS.items())
    group = "".join(f"{n}:x:{i}:\n" for n, i in GROUPS.items())
    (folder / "passwd").write_text(passwd)
    (folder / "group").write_text(group)
    return {
        "LD_PRELOAD": LIBRARY,
        "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "group"),
    }
