"""Servers that the toolchains' tests fetch from: origin.py READY FOLDER PORT:CERTIFICATES:KEY...

Each serves the same over TLS: a page, the files of FOLDER, and one package in the forms of pip, npm and cargo. What is asked
goes to FOLDER/asked. READY is a FIFO that gets one line when all listen. With grpcio, port+1 is a gRPC server.
"""

import hashlib, http.server, io, json, os, ssl, sys, tarfile, threading, zipfile

READY, FOLDER = sys.argv[1:3]
PAGE = b"answer-of-the-origin\n"


def wheel():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = "bottled-1.0.dist-info/"
        archive.writestr("bottled.py", "print('answer-of-the-origin')\n")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: bottled\nVersion: 1.0\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(info + "RECORD", "bottled.py,,\n" + "".join(info + n + ",,\n" for n in ("METADATA", "WHEEL", "RECORD")))
    return made.getvalue()


def archive(files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


WHEEL = wheel()
NPM = archive({
    "package/package.json": b'{"name": "bottled", "version": "1.0.0", "main": "main.js"}',
    "package/main.js": b"console.log('answer-of-the-origin')",
})
CRATE = archive({
    "bottled-1.0.0/Cargo.toml": b'[package]\nname = "bottled"\nversion = "1.0.0"\nedition = "2021"\n',
    "bottled-1.0.0/src/lib.rs": b"//! answer-of-the-origin\n",
})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.note()
        answer = self.page()
        self.answer(404 if answer is None else 200, answer or b"")

    do_HEAD = do_GET

    def do_POST(self):
        self.note()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": "answer-of-the-origin"}}
        self.answer(400, json.dumps(error).encode())

    def note(self):
        with open(FOLDER + "/asked", "a") as asked:
            asked.write(self.requestline + "\n")

    def answer(self, status, body):
        self.send_response(status)
        kind = "text/html" if self.path.startswith("/simple") else "application/json" if body[:1] == b"{" else "application/octet-stream"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def page(self):
        base = "https://" + self.headers["host"]
        path = self.path.split("?")[0]
        if path == "/":
            return PAGE
        if path == "/simple/bottled/":
            name = "bottled-1.0-py3-none-any.whl"
            return f'<!doctype html><a href="{base}/{name}#sha256={hashlib.sha256(WHEEL).hexdigest()}">{name}</a>'.encode()
        if path.endswith(".whl"):
            return WHEEL
        if path == "/npm/bottled":
            dist = {"tarball": base + "/bottled.tgz", "shasum": hashlib.sha1(NPM).hexdigest()}
            version = {"name": "bottled", "version": "1.0.0", "dist": dist}
            return json.dumps({"name": "bottled", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode()
        if path == "/bottled.tgz":
            return NPM
        if path == "/index/config.json":
            return json.dumps({"dl": base + "/bottled.crate"}).encode()
        if path == "/index/bo/tt/bottled":
            line = {"name": "bottled", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
            return json.dumps(line | {"cksum": hashlib.sha256(CRATE).hexdigest()}).encode()
        if path.startswith("/bottled.crate"):
            return CRATE
        file = os.path.normpath(FOLDER + path)
        if file.startswith(FOLDER + "/") and os.path.isfile(file):
            with open(file, "rb") as content:
                return content.read()
        return None

    def log_message(self, *arguments):
        pass


def serve(port, certificates, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates, key)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request, address):
            # In the connection's own thread: one that never shakes hands holds up no other.
            super().finish_request(context.wrap_socket(request, server_side=True), address)

        def handle_error(self, request, address):
            pass

    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever).start()


def serve_grpc(port, certificates, key):
    try:
        import grpc
    except ImportError:
        return None
    from concurrent import futures

    answer = grpc.unary_unary_rpc_method_handler(lambda request, context: PAGE)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("origin", {"get": answer}),))
    with open(certificates, "rb") as chain, open(key, "rb") as secret:
        server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([(secret.read(), chain.read())]))
    server.start()
    return server


servers = []
for wanted in sys.argv[3:]:
    port, certificates, key = wanted.split(":")
    serve(int(port), certificates, key)
    servers.append(serve_grpc(int(port) + 1, certificates, key))
with open(READY, "w") as ready:
    ready.write("ready\n")
# The end of the main thread would close gRPC's pool of threads.
threading.Event().wait()
