"""The arms: ways from the client to the origin."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import ground as grounds
import machine
import memory
import names
import programs
from bottle import BotBottle as Sandboxed
from service import Service, Unavailable


class Arm:
    """One way. `start` opens it; then `way` says how a client takes it."""

    name = words = ""
    # Whether it asks for a tunnel, and whether it makes certificates of its own.
    proxy = mints = True
    service = None

    def __init__(self, ground):
        self.ground = ground
        self.port = grounds.free_port()
        self.ca = ground.ca

    def start(self):
        raise NotImplementedError

    def serve(self, argv, env=None):
        self.service = Service(self.name, argv, env).start(self.port)

    def environment(self):
        """Of the load generator; none but its own where it is None."""
        return None

    def pss(self):
        """MiB of the proxy; None where there is none."""
        return self.service and self.service.pss()

    def stop(self):
        if self.service:
            self.service.stop()

    def command(self, arguments):
        """How the load generator is started."""
        return [self.ground.built.load, *arguments]

    def way(self):
        """How the load generator reaches a host by this arm."""
        return ["--connect", f"127.0.0.1:{self.port}", "--ca", self.ca, *(["--proxy"] if self.proxy else [])]

    def origin(self):
        return ["--host", names.ORIGIN, "--port", self.ground.origin_port]

    def sink(self):
        return ["--host", names.SINK, "--port", self.ground.sink_port]

    def unseen_port(self):
        return self.ground.origin_port

    def folder(self):
        return self.ground.folder(f"arm-{self.name}")


class Direct(Arm):
    name, words, proxy, mints = "direct", "direct", False, False

    def start(self):
        self.port = self.ground.origin_port


class Nginx(Arm):
    name, words, proxy, mints = "nginx", "nginx reverse proxy, TLS to TLS", False, False

    def start(self):
        g = self.ground
        upstream = "\n".join(
            f"upstream {name} {{ server 127.0.0.1:{port}; keepalive 64; keepalive_requests 100000000; }}"
            for name, port in (("origin", g.origin_port), ("sink", g.sink_port))
        )
        # Bodies pass as they come, as in the other arms; the origin's certificate is checked, as in the other arms.
        self.serve(grounds.nginx(self.folder(), f"""
            {upstream}
            server {{
                listen 127.0.0.1:{self.port} ssl;
                ssl_certificate {g.certificate}; ssl_certificate_key {g.key};
                proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host {names.ORIGIN};
                proxy_ssl_server_name on; proxy_ssl_verify on; proxy_ssl_trusted_certificate {g.ca}; proxy_ssl_name {names.ORIGIN};
                proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_buffer_size 16k; client_max_body_size 0;
                location / {{ proxy_pass https://origin; }}
                location /sink/ {{ proxy_pass https://sink; }}
            }}
        """))

    def sink(self):
        return self.origin()


class Squid(Arm):
    name, words, mints = "squid", "squid, CONNECT tunnel", False
    port_options, more = "", ""

    def start(self):
        binary = machine.which("squid")
        if not binary:
            raise Unavailable("squid is not installed (apt-get install squid-openssl)")
        folder = self.home = self.folder()
        self.prepare(folder)
        if os.getuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, "proxy", "proxy")
        conf = folder / "squid.conf"
        conf.write_text(f"""
http_port 127.0.0.1:{self.port} {self.port_options.format(folder=folder)}
http_access allow all
cache deny all
cache_mem 8 MB
access_log none
cache_log {folder}/cache.log
cache_store_log none
netdb_filename none
pinger_enable off
pid_filename {folder}/pid
coredump_dir {folder}
shutdown_lifetime 0 seconds
max_filedescriptors 8192
visible_hostname bench
tls_outgoing_options cafile={self.ground.ca}
{self.more.format(folder=folder)}
""")
        self.serve([binary, "-N", "-f", conf])

    def prepare(self, folder):
        pass


class SquidBump(Squid):
    name, words, mints = "squid-bump", "squid, ssl_bump", True
    port_options = "ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB cert={folder}/ca.both"
    helper = "/usr/lib/squid/security_file_certgen"
    more = (
        f"sslcrtd_program {helper} -s {{folder}}/certificates -M 4MB\nsslcrtd_children 5\n"
        "acl step1 at_step SslBump1\nssl_bump peek step1\nssl_bump bump all"
    )

    def prepare(self, folder):
        if not pathlib.Path(self.helper).exists():
            raise Unavailable("this squid makes no certificates (apt-get install squid-openssl)")
        self.ca, key = grounds.certificate_authority(folder / "ca")
        (folder / "ca.both").write_text(self.ca.read_text() + key.read_text())
        subprocess.run([self.helper, "-c", "-s", folder / "certificates", "-M", "4MB"], check=True, capture_output=True)


class Mitmdump(Arm):
    name, words = "mitmdump", "mitmdump"

    def start(self):
        binary = programs.VENV / "bin/mitmdump"
        if not binary.exists():
            raise Unavailable(f"mitmdump is not installed (pip install '{programs.MITMPROXY}' in {programs.VENV.name} of the cache folder)")
        folder = self.folder()
        self.ca = folder / "mitmproxy-ca-cert.pem"
        settings = [f"confdir={folder}", f"ssl_verify_upstream_trusted_ca={self.ground.ca}", "stream_large_bodies=1m", "flow_detail=0"]
        options = [part for setting in settings for part in ("--set", setting)]
        self.serve([binary, "--quiet", "--listen-host", "127.0.0.1", "--listen-port", self.port, *options])


class Hudsucker(Arm):
    name, words = "hudsucker", "hudsucker, bare"

    def start(self):
        self.ca, key = grounds.certificate_authority(self.folder() / "ca")
        self.serve([self.ground.built.hudsucker, f"127.0.0.1:{self.port}", self.ca, key, self.ground.ca])


class BotBottle(Arm):
    """The service alone, without a bottle: policy, minting and recording on."""

    name, words = "bot-bottle", "bot-bottle"

    def start(self):
        folder = self.folder()
        self.ca = folder / "ca.pem"
        routes = {
            names.ORIGIN: self.ground.origin_port,
            names.SINK: self.ground.sink_port,
            "*.bench.example": self.ground.origin_port,
        }
        dials = [part for host, port in routes.items() for part in ("--route", f"{host}=127.0.0.1:{port}")]
        here = ["--listen", f"127.0.0.1:{self.port}", "--authority", self.ca, "--roots", self.ground.ca, "--state", folder]
        self.serve([self.ground.built.egress, *here, *dials])

    def origin(self):
        return ["--host", names.ORIGIN]

    def sink(self):
        return ["--host", names.SINK]

    def unseen_port(self):
        return 443


class InBottle(Arm):
    """The client in a bottle, the service in the session's process: outlet, and the network of the bottle, come on top."""

    name, words = "in-bottle", "bot-bottle, client in a bottle"

    def start(self):
        # Not in the scratch folder: /dev is no place for a bottle's tools.
        self.scratch = tempfile.TemporaryDirectory(prefix="bb-bottle-")
        home = pathlib.Path(self.scratch.name)
        tools = self.folder_of_tools(home)
        bottle = Sandboxed(self.ground.built.release, home)
        (home / ".bot-bottle/bottles/bench.md").write_text(manifest(tools, self.ground))
        bottle.env["SSL_CERT_FILE"] = str(self.ground.ca)
        self.bottle, self.program, self.service = bottle, tools / "load", bottle.running("sleep", "infinity")
        self.service.__enter__()

    def folder_of_tools(self, home):
        tools = home / "tools"
        tools.mkdir(mode=0o755)
        shutil.copy(self.ground.built.load, tools / "load")
        return tools

    def command(self, arguments):
        return self.bottle.exec(self.service.identity, self.program, *arguments)

    def environment(self):
        return self.bottle.env

    def way(self):
        return ["--connect", "127.0.0.1:3128", "--ca", "/etc/ssl/certs/bot-bottle.pem", "--proxy"]

    origin, sink, unseen_port = BotBottle.origin, BotBottle.sink, BotBottle.unseen_port

    def pss(self):
        """MiB of the session's process: the bottle's own processes do not serve."""
        return memory.pss(self.service.process.pid) / 1024

    def stop(self):
        self.service.__exit__()
        self.scratch.cleanup()


def manifest(tools, ground):
    routes = "".join(
        f"    - {{host: '{host}', dial: '127.0.0.1:{port}'}}\n"
        for host, port in ((names.ORIGIN, ground.origin_port), (names.SINK, ground.sink_port), (names.WILDCARD, ground.origin_port))
    )
    return f"---\nagent_provider:\n  template: command\n  command: [sh]\ntools: [{tools}]\negress:\n  routes:\n{routes}---\n"


ALL = [Direct, Nginx, Squid, SquidBump, Mitmdump, Hudsucker, BotBottle, InBottle]
NAMES = [arm.name for arm in ALL]


class Started:
    """All arms that can be started; the others with the reason why not."""

    def __init__(self, ground, wanted):
        self.arms, self.missing = [], []
        unknown = set(wanted or []) - set(NAMES)
        if unknown:
            raise SystemExit(f"bench: no such arm: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        self.candidates = [kind(ground) for kind in ALL if not wanted or kind.name in wanted]

    def __enter__(self):
        for arm in self.candidates:
            try:
                arm.start()
                self.arms.append(arm)
            except (Unavailable, OSError, subprocess.CalledProcessError) as error:
                print(f"bench: {arm.words}: {error}", file=sys.stderr)
                self.missing.append(f"{arm.words}: {error}")
        return self

    def __exit__(self, *_):
        for arm in self.arms:
            arm.stop()
