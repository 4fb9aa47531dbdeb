"""Servers that the toolchains' tests fetch from: origin.py READY FOLDER PORT:CERTIFICATES:KEY...

Each serves the same over TLS: a page, the files of FOLDER, and the package of packages.py. What is asked goes to FOLDER/asked. READY is
a FIFO that gets one line when all listen. With grpcio, port+1 is a gRPC server.
"""

import http.server, json, os, ssl, sys, threading

import packages

READY, FOLDER = sys.argv[1:3]
PAGE = b"answer-of-the-origin\n"


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
        self.send_header("content-type", packages.content_type(self.path, body))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def page(self):
        base = "https://" + self.headers["host"]
        path = self.path.split("?")[0]
        if path == "/":
            return PAGE
        made = packages.pages(base)
        if path in made:
            return made[path]
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
