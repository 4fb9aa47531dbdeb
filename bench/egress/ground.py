"""What all arms stand on: certificates, the origin, and a scratch folder in memory."""
import os
import pathlib
import socket
import subprocess

import machine
import names
from service import Service

SMALL, LARGE = 1024, 10_000_000


class Ground:
    def __init__(self, scratch, built):
        self.scratch, self.built = scratch, built
        # Squid's user and nginx's workers come in from outside.
        scratch.chmod(0o755)

    def __enter__(self):
        self.ca, self.ca_key = certificate_authority(self.scratch / "origin-ca")
        self.certificate, self.key = leaf(self.scratch / "origin", self.ca, self.ca_key)
        self.origin_port, self.sink_port, swallow = free_port(), free_port(), free_port()
        self.origin = Service("origin", nginx(self.folder("origin-nginx"), self.origin_conf(swallow))).start(self.origin_port)
        sink = [self.built.load, "sink", "--listen", f"127.0.0.1:{self.sink_port}", "--certificate", self.certificate, "--key", self.key]
        self.sink = Service("sink", sink).start(self.sink_port)
        return self

    def __exit__(self, *_):
        self.sink.stop()
        self.origin.stop()

    def folder(self, name):
        folder = self.scratch / name
        folder.mkdir(mode=0o755)
        return folder

    def origin_conf(self, swallow):
        files = self.folder("files")
        (files / "1k").write_bytes(b"k" * SMALL)
        (files / "10m").write_bytes(b"m" * LARGE)
        return f"""
            server {{
                listen 127.0.0.1:{self.origin_port} ssl;
                ssl_certificate {self.certificate}; ssl_certificate_key {self.key};
                ssl_protocols TLSv1.2 TLSv1.3;
                root {files};
                open_file_cache max=10;
                # The request's body is read to its end, into memory; only then the answer is asked for, without it.
                location /up {{
                    client_max_body_size 0; client_body_buffer_size 11m;
                    proxy_pass http://127.0.0.1:{swallow}; proxy_pass_request_body off; proxy_set_header Content-Length "";
                }}
            }}
            server {{ listen 127.0.0.1:{swallow}; location / {{ return 204; }} }}
        """


def nginx(folder, servers):
    """The command of an nginx with a process for each processor and nothing written but errors."""
    conf = folder / "nginx.conf"
    kept = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.getuid() == 0 else ""
    conf.write_text(f"""
        daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/errors warn; {user}
        events {{ worker_connections 4096; }}
        http {{
            {kept}
            access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; default_type application/octet-stream;
            {servers}
        }}
    """)
    return [machine.which("nginx"), "-p", folder, "-e", folder / "errors", "-c", conf]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate_authority(stem):
    certificate, key = pathlib.Path(f"{stem}.pem"), pathlib.Path(f"{stem}.key")
    openssl("req", "-x509", *new_key(key), "-out", certificate, "-days", "30", "-subj", f"/CN={stem.name}",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return certificate, key


def leaf(stem, ca, ca_key):
    certificate, key = pathlib.Path(f"{stem}.pem"), pathlib.Path(f"{stem}.key")
    openssl("req", "-x509", *new_key(key), "-out", certificate, "-days", "30", "-subj", "/CN=bench.example", "-CA", ca, "-CAkey", ca_key,
            "-addext", f"subjectAltName=DNS:{names.WILDCARD}", "-addext", "basicConstraints=critical,CA:FALSE")
    return certificate, key


def new_key(path):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: openssl {arguments[0]}: {done.stderr.strip()}")
