"""A small HTTPS server that gives one text, or misbehaves."""
import http.server
import threading


class Web:
    """`answer(handler)` writes the answer to a GET; a text is given as it is. `posts` holds what was
    posted: (path, content type, body); `post(handler, body)` answers that."""

    def __init__(self, address, port, context, answer, post=lambda handler, body: handler.give("thanks")):
        self.asked = []
        self.posts = []
        self.news = threading.Condition()
        self.closing = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 30

            def do_GET(self):
                outer.note(outer.asked, self.path)
                if callable(answer):
                    answer(self, outer)
                else:
                    self.give(answer)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post(self, body)
                outer.note(outer.posts, (self.path, self.headers["Content-Type"], body))

            def give(self, text, status=200, **headers):
                text = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(text)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def finish_request(self, request, client_address):
                request.settimeout(30)
                super().finish_request(context.wrap_socket(request, server_side=True), client_address)

            def handle_error(self, *_):
                pass

        self.server = Server((address, port), Handler)

    def note(self, where, what):
        with self.news:
            where.append(what)
            self.news.notify_all()

    def start(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
