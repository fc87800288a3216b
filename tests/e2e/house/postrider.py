"""A Postrider with a configuration of its own, whose log is gathered and waited for."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from . import ground
from .mailbox import Maildir, Mbox
from .smtp_client import Client, submit

SANITIZER = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "UndefinedBehaviorSanitizer", "runtime error:")


def merge(base, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


def environment():
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = "abort_on_error=0:exitcode=99:detect_leaks=1"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    env["LC_ALL"] = "C.UTF-8"
    return env


class Postrider:
    """`folder` holds all that it writes: configuration, spool, mail, log."""

    def __init__(self, folder, config=None, deliver_port=None, address=None, sandbox=False, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.address = address or ground.address()
        self.port = deliver_port or ground.port_everywhere()
        self.file = self.folder / "postrider.yaml"
        self.control = self.folder / "control.sock"
        self.stderr = self.folder / "log"
        self.mail = self.folder / "mail"
        self.sandbox = sandbox
        self.env = env or {}
        self.process = None
        self.events = []
        self._news = threading.Condition()
        self.config = merge(
            {
                "hostname": "mx.house.example",
                "spool": {"path": str(self.folder / "spool")},
                "control": str(self.control),
                "log": {"format": "json", "level": "debug"},
                "dns": {"servers": [f"127.0.0.1@{1}"]},
                "listen": [{"address": f"{self.address}:{self.port}", "mode": "mx"}],
                "domains": {
                    "house.example": {
                        "mailboxes": f"maildir:{self.mail}/{{domain}}/{{local}}/",
                        "users": ["*"],
                    }
                },
                "deliver": {"port": self.port},
            },
            config or {},
        )
        self.write()

    def write(self, config=None):
        """The configuration to its file: JSON, which is YAML too."""
        self.file.write_text(json.dumps(config or self.config, indent=1) + "\n")

    # -- running ------------------------------------------------------------------------------

    def launch(self, command=None, **options):
        """Starts it, and returns at once. `command`: instead of the usual one."""
        if not command:
            command = [str(ground.program()), "serve"]
            command += [] if self.sandbox else ["-c", str(self.file)]
        self.events = []
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "stdout").open("wb"),
            stderr=subprocess.PIPE,
            env={**environment(), **self.env},
            **options,
        )
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        return self

    def start(self):
        self.launch()
        self.wait("ready")
        return self

    def _read(self, process):
        with self.stderr.open("ab") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "", "text": line.decode(errors="replace")}
                with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def stop(self, expect=0):
        """SIGTERM; waits for the end and judges it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(ground.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not stop on SIGTERM\n{self.tail()}") from None
        finally:
            self.reader.join(5)
        self.process = None
        self.judge()
        assert code == expect, f"exit code {code}, not {expect}\n{self.tail()}"

    def worker(self):
        """The process that does the work; the supervisor is self.process."""
        return self.seen("worker-started")[-1]["pid"]

    def kill(self):
        """SIGKILL to the supervisor, whose worker then dies as well: a crash of the whole."""
        worker = self.worker()
        self.process.kill()
        self.process.wait()
        ground.until("the worker is gone", lambda: ground.is_gone(worker))
        self.reader.join(5)
        self.process = None

    def clean_up(self):
        """At the end of a test: stops what runs, and judges what it said."""
        if self.process is not None:
            self.stop()
        else:
            self.judge()

    def judge(self):
        text = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        for word in SANITIZER:
            assert word not in text, f"a sanitizer's report in {self.stderr}:\n{self.tail(120)}"

    def tail(self, lines=40):
        text = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    # -- the log ------------------------------------------------------------------------------

    def seen(self, event, **fields):
        """Events of that name so far with those fields."""
        with self._news:
            return [
                e
                for e in self.events
                if e.get("event") == event and all(e.get(k) == v for k, v in fields.items())
            ]

    def wait(self, event, count=1, patience=ground.PATIENCE, **fields):
        """Waits for `count` such events, and returns the last of them."""
        deadline = time.monotonic() + patience
        while True:
            with self._news:
                found = [
                    e
                    for e in self.events
                    if e.get("event") == event and all(e.get(k) == v for k, v in fields.items())
                ]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                ended = self.process is not None and self.process.poll() is not None
                if left <= 0 or (ended and not self.reader.is_alive()):
                    why = "it ended" if ended else f"not within {patience} s"
                    raise AssertionError(
                        f"no event {event} {fields} ({len(found)} of {count}): {why}\n"
                        + "\n".join(self._tail_of_events())
                    )
                self._news.wait(min(left, 0.2))

    def _tail_of_events(self):
        return [json.dumps(e) for e in self.events[-30:]]

    # -- talking to it ------------------------------------------------------------------------

    def client(self, source=None, **options):
        return Client(self.address, self.port, source, **options)

    def submit(self, recipients, message, sender="sender@client.example", **options):
        return submit(self.address, self.port, sender, recipients, message, **options)

    def maildir(self, local, domain="house.example"):
        return Maildir(self.mail / domain / local)

    def mbox(self, path):
        return Mbox(path)

    def run(self, *arguments, input=None, check=None, name=None, config=True, cwd=None, env=None):
        """A verb of the program. `name`: as which program it is called."""
        words = [str(a) for a in arguments]
        if config and not name and words and words[0] in CONFIGURED:
            words[1:1] = ["-c", str(self.file)]
        done = subprocess.run(
            [name or str(ground.program()), *words],
            executable=str(ground.program()),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=ground.PATIENCE * 2,
            cwd=cwd or self.folder,
            env={**environment(), **(env or {})},
        )
        text = done.stderr.decode(errors="replace")
        for word in SANITIZER:
            assert word not in text, text
        if check is not None:
            assert done.returncode == check, (done.returncode, done.stdout, text)
        return done

    def json(self, *arguments, check=0):
        return json.loads(self.run(*arguments, "--json", check=check).stdout)


CONFIGURED = {"check", "send", "queue", "why", "route", "trace"}
