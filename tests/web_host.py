"""A server on loopback with one document that must not be fetched."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WebHost:
    """Answers every request with the same document, and keeps the requested paths."""

    def __init__(self, document: bytes = b'{"type": "string"}') -> None:
        requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(document)

            do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        self.requests = requests
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
