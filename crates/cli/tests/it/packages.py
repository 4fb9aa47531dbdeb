"""One package, `bottled`, in the forms of pip, npm, cargo and apt, with what their registries say of it.

`pages(base)` has every page by its path. Run with a base, such as https://packages.example.org, it prints them as JSON, in base64.
"""

import base64, hashlib, io, json, sys, tarfile, zipfile

WORDS = "answer-of-the-origin"


def wheel():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = "bottled-1.0.dist-info/"
        archive.writestr("bottled.py", f"print('{WORDS}')\n")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: bottled\nVersion: 1.0\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(info + "RECORD", "bottled.py,,\n" + "".join(info + n + ",,\n" for n in ("METADATA", "WHEEL", "RECORD")))
    return made.getvalue()


def archive(files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content.encode()))
    return made.getvalue()


def deb():
    """deb(5): an ar archive of a version, what the package is, and its files."""
    control = "".join(f"{key}: {value}\n" for key, value in DEB.items())
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": archive({"./control": control}),
        "data.tar.gz": archive({"./usr/share/bottled": WORDS + "\n"}),
    }
    made = b"!<arch>\n"
    for name, content in members.items():
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
    return made


DEB = {"Package": "bottled", "Version": "1.0", "Architecture": "all", "Maintainer": "a test <a@b>", "Description": "a package"}
WHEEL, DEBIAN = wheel(), deb()
NPM = archive({
    "package/package.json": '{"name": "bottled", "version": "1.0.0", "main": "main.js"}',
    "package/main.js": f"console.log('{WORDS}')",
})
CRATE = archive({
    "bottled-1.0.0/Cargo.toml": '[package]\nname = "bottled"\nversion = "1.0.0"\nedition = "2021"\n',
    "bottled-1.0.0/src/lib.rs": f'//! {WORDS}\npub const WORDS: &str = "{WORDS}";\n',
})


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def pages(base):
    wheel_name, deb_name = "bottled-1.0-py3-none-any.whl", "bottled_1.0_all.deb"
    dist = {"tarball": base + "/bottled.tgz", "shasum": hashlib.sha1(NPM).hexdigest()}
    version = {"name": "bottled", "version": "1.0.0", "dist": dist}
    packument = {"name": "bottled", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    crate = {"name": "bottled", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False, "cksum": sha256(CRATE)}
    config = {"dl": base + "/{crate}.crate"}
    stanza = DEB | {"Filename": "./" + deb_name, "Size": len(DEBIAN), "SHA256": sha256(DEBIAN)}
    listed = "".join(f"{key}: {value}\n" for key, value in stanza.items()).encode()
    return {
        "/simple/bottled/": f'<!doctype html><a href="{base}/{wheel_name}#sha256={sha256(WHEEL)}">{wheel_name}</a>'.encode(),
        "/" + wheel_name: WHEEL,
        "/npm/bottled": json.dumps(packument).encode(),
        "/bottled.tgz": NPM,
        "/index/config.json": json.dumps(config).encode(),
        "/index/bo/tt/bottled": json.dumps(crate).encode(),
        "/private/config.json": json.dumps(config | {"auth-required": True}).encode(),
        "/private/bo/tt/bottled": json.dumps(crate).encode(),
        "/bottled.crate": CRATE,
        "/apt/Packages": listed,
        "/apt/Release": f"SHA256:\n {sha256(listed)} {len(listed)} Packages\n".encode(),
        "/apt/" + deb_name: DEBIAN,
    }


def content_type(path, content):
    if path.startswith("/simple"):
        return "text/html"
    return "application/json" if content[:1] == b"{" else "application/octet-stream"


if __name__ == "__main__":
    made = pages(sys.argv[1])
    print(json.dumps({path: [content_type(path, page), base64.b64encode(page).decode()] for path, page in made.items()}))
