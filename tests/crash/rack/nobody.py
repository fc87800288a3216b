"""nobody.py ADDRESS PORT: a server that sends everybody away, as cheaply as it can. What others keep while the
attackers are busy with it is what the attackers' own work on the same machine leaves. Ends with its standard
input."""
import os
import socket
import sys
import threading

FAREWELL = b"421 4.7.0 Not here\r\n"


def main(address, port):
    listening = socket.create_server((address, port), backlog=4096)
    print("ready", flush=True)
    while True:
        one, _ = listening.accept()
        try:
            one.send(FAREWELL)
        except OSError:
            pass  # it is gone already
        one.close()


if __name__ == "__main__":
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    main(sys.argv[1], int(sys.argv[2]))
