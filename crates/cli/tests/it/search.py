"""Looks for texts in all that a bottle holds, and says where one was found.

    search.py FOLDERS PROCESSES SINCE TEXT...

FOLDERS are looked into with everything below them; PROCESSES are numbers, or `all`; both are lists with colons. What the host lends the
bottle (its system, and read-only mounts) is looked into where it has changed since SINCE, in seconds since 1970. Each TEXT is given
backwards, so that nothing but this process holds it; all begin with the same letters. Prints one JSON object.
"""
import array, base64, json, os, stat, sys

SYSTEM = ("/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix", "/gnu")
CHUNK = 8 << 20
PAGE = os.sysconf("SC_PAGESIZE")


def forms(text):
    """Every spelling in which it may stand somewhere."""
    raw = text.encode()
    yield "plain", raw
    yield "backwards", raw[::-1]
    yield "UTF-16", text.encode("utf-16-le")
    yield "hex", raw.hex().encode()
    for shift in range(3):
        # What is in front of it moves the letters of base64; those at both ends depend on the neighbours.
        whole = base64.b64encode(b"\0" * shift + raw)
        inner = whole[-(-shift * 4 // 3) : len(whole) - 4]
        yield "base64", inner
        yield "base64url", inner.replace(b"+", b"-").replace(b"/", b"_")


folders, pids, since, *texts = sys.argv[1:]
texts = [text[::-1] for text in texts]
NEEDLES = [(number, form, needle) for number, text in enumerate(texts) for form, needle in forms(text)]
LONGEST = max(len(needle) for _, _, needle in NEEDLES)
# What all have in common is looked for first: there is much to look through.
STEMS = {stem for _, stem in forms(os.path.commonprefix(texts))}
assert all(len(stem) > 4 for stem in STEMS), STEMS
found, closed = [], []


def look(content, place, where):
    if not any(stem in content for stem in STEMS):
        return
    for number, form, needle in NEEDLES:
        if needle in content:
            hit = {"text": number, "form": form, "place": place, "where": where}
            if hit not in found:
                found.append(hit)


def look_through(file, place, where):
    tail = b""
    while chunk := file.read(CHUNK):
        look(tail + chunk, place, where)
        tail = chunk[-LONGEST:]


def files(start):
    for folder, below, names in os.walk(start, onerror=lambda error: closed.append(error.filename)):
        if folder == "/":
            below[:] = [name for name in below if name not in ("proc", "sys", "dev")]
        for name in below + names:
            path = os.path.join(folder, name)
            look(os.fsencode(path), "name", path)
            try:
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    look(os.fsencode(os.readlink(path)), "link", path)
                if not stat.S_ISREG(status.st_mode) or is_lent(path, status):
                    continue
                with open(path, "rb") as file:
                    look_through(file, "file", path)
            except FileNotFoundError:
                pass
            except OSError:
                closed.append(path)


def is_lent(path, status):
    if path.startswith(SYSTEM):
        return status.st_ctime < float(since)
    return os.statvfs(path).f_flag & os.ST_RDONLY and status.st_mtime < float(since)


def regions(pid):
    """Memory that is there: address and length. What was only set aside is left out, it can be terabytes."""
    begin = end = 0
    readable = False
    with open(f"/proc/{pid}/smaps") as smaps, open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for line in smaps:
            first = line.split(maxsplit=2)
            if "-" in first[0] and not first[0].endswith(":"):
                begin, end = (int(number, 16) for number in first[0].split("-"))
                readable = "r" in first[1] and not line.rstrip().endswith(("[vvar]", "[vvar_vclock]", "[vsyscall]"))
            elif first[0] == "Rss:" and readable and first[1] != "0":
                yield from present(pagemap, begin, end)


def present(pagemap, begin, end):
    for start in range(begin, end, CHUNK):
        length = min(CHUNK, end - start)
        pagemap.seek(start // PAGE * 8)
        entries = array.array("Q", pagemap.read(length // PAGE * 8))
        # Bit 63: in memory, bit 62: swapped out (proc_pid_pagemap(5)).
        run = None
        for number, entry in enumerate(entries):
            if entry >> 62 and run is None:
                run = number
            elif not entry >> 62 and run is not None:
                yield start + run * PAGE, (number - run) * PAGE
                run = None
        if run is not None:
            yield start + run * PAGE, (len(entries) - run) * PAGE


def memory(pid, name):
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        tail, expected = b"", None
        for begin, length in regions(pid):
            try:
                mem.seek(begin)
                chunk = mem.read(length)
            except OSError:
                continue
            look((tail if begin == expected else b"") + chunk, "memory", f"{pid} {name}")
            tail, expected = chunk[-LONGEST:], begin + length


def processes():
    numbers = [name for name in os.listdir("/proc") if name.isdigit()] if pids == "all" else pids.split(":")
    for pid in filter(None, numbers):
        if int(pid) == os.getpid():
            continue
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        for what in ("cmdline", "environ", "memory"):
            try:
                if what == "memory":
                    memory(pid, name)
                else:
                    with open(f"/proc/{pid}/{what}", "rb") as file:
                        look_through(file, what, f"{pid} {name}")
            except (FileNotFoundError, ProcessLookupError):
                pass
            except OSError:
                closed.append(f"{what} of {pid} {name}")


processes()
for start in filter(None, folders.split(":")):
    files(start)
print(json.dumps({"found": found, "closed": closed}))
