"""Servers on loopback that take what is sent to them, for the tests of notifications."""

import http.server
import socket
import ssl
import subprocess
import threading


def make_certificate(path):
    """key.pem and cert.pem for localhost and 127.0.0.1, in the directory."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", path / "key.pem",
                    "-out", path / "cert.pem"], check=True, capture_output=True)
    return path


class SmtpSink(threading.Thread):
    """Speaks just enough SMTP, and notes everything that it hears."""

    def __init__(self, certificate=None, implicit=False, answers=None, offer_tls=True):
        super().__init__(daemon=True)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self.implicit, self.answers, self.offer_tls = implicit, answers or {}, offer_tls
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.commands, self.mail, self.clear_bytes = [], None, b""
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.serve(connection)
            except (OSError, ssl.SSLError):
                pass
            connection.close()

    def serve(self, connection):
        secure = False
        if self.implicit:
            connection = self.context.wrap_socket(connection, server_side=True)
            secure = True
        stream = connection.makefile("rb")

        def say(text):
            connection.sendall(text.encode() + b"\r\n")

        say("220 sink ready")
        while line := stream.readline():
            if not secure:
                self.clear_bytes += line
            text = line.decode().rstrip("\r\n")
            self.commands.append(text)
            verb = text.split()[0].upper() if text else ""
            if verb in self.answers:
                say(self.answers[verb])
            elif verb == "EHLO":
                say("250-sink")
                if self.context and not secure and self.offer_tls:
                    say("250-STARTTLS")
                say("250 AUTH PLAIN")
            elif verb == "STARTTLS":
                say("220 go ahead")
                connection = self.context.wrap_socket(connection, server_side=True)
                stream, secure = connection.makefile("rb"), True
            elif verb == "AUTH":
                if len(text.split()) == 2:
                    say("334 ")
                    self.commands.append(stream.readline().decode().rstrip("\r\n"))
                say("235 welcome")
            elif verb == "DATA":
                say("354 go on")
                lines = []
                while (data := stream.readline()) != b".\r\n":
                    lines.append(data[1:] if data.startswith(b"..") else data)
                self.mail = b"".join(lines)
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")

    def close(self):
        self.listener.close()


class WebSink:
    def __init__(self, status=200, headers=(), body=b"ok", certificate=None):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                sink.requests.append((self.path, dict(self.headers), self.rfile.read(length)))
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                sink.requests.append((self.path, {}, b"GET"))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.requests = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
