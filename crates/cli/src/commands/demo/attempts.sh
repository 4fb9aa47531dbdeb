# What a hostile agent would try first, run inside the bottle by `bot-bottle demo`. POSIX sh; tools that are missing are said.
# $1 secret file of the host, $2 port of a service on the host's loopback, $3 a process of the host, $4 the person's home
secret=$1 port=$2 process=$3 home=$4
opened=0

can()  { printf '  \342\234\223 can   %s\n' "$1"; }
held() { printf '  \342\234\223 held  %s\n' "$1"; }
open() { printf '  \342\234\227 OPEN  %s\n' "$1"; opened=$((opened + 1)); }
skip() { printf '  - skip  %s\n' "$1"; }

# try SENTENCE COMMAND...: the command must fail.
try() {
    sentence=$1
    shift
    if "$@" >/dev/null 2>&1; then open "$sentence"; else held "$sentence"; fi
}

# reply TOOL HOST PORT: what a service answers to a plain request past any proxy.
reply() {
    case "$1" in
    curl) curl -s -m 8 --noproxy '*' "http://$2:$3/" 2>/dev/null ;;
    python3)
        python3 -c 'import socket,sys
s=socket.create_connection((sys.argv[1],int(sys.argv[2])),8); s.settimeout(8)
s.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n"); sys.stdout.write(s.recv(65536).decode("latin-1"))' "$2" "$3" 2>/dev/null ;;
    perl)
        perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>$ARGV[0],PeerPort=>$ARGV[1],Timeout=>8) or exit 1;
print $s "GET / HTTP/1.0\r\nHost: x\r\n\r\n"; print while <$s>' "$2" "$3" 2>/dev/null ;;
    bash) bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\r\nHost: x\r\n\r\n" >&3 && cat <&3' "$2" "$3" 2>/dev/null ;;
    esac
}

# The program to try the network with: one that is seen to work, by the answer of the bottle's own proxy. Silence in answer to
# one that does not work would prove nothing.
tool=
for candidate in curl python3 perl bash; do
    case "$(reply "$candidate" 127.0.0.1 3128)" in
        *egress.*) tool=$candidate && break ;;
    esac
done

# reach SENTENCE HOST PORT: an answer that is not our own refusal means that something was reached.
reach() {
    if [ -z "$tool" ]; then
        skip "$1: no curl, python3, perl or bash here that works"
        return
    fi
    case "$(reply "$tool" "$2" "$3")" in
        *egress.*) held "$1: refused, and told why" ;;
        '') held "$1" ;;
        *) open "$1" ;;
    esac
}

echo "what the agent may do:"
if [ "$(id -u)" = 1000 ]; then can "run programs as $(id -un)"; else open "run as user $(id -u) instead of node"; fi
if echo x >"$HOME/file" && [ "$(cat "$HOME/file")" = x ]; then can "write files in its own home, $HOME"; else skip "write files in $HOME"; fi
if [ -n "$DEMO" ]; then can "read the variable that its bottle's manifest sets"; else skip "read the variable DEMO"; fi

echo "files of the host:"
try "read the secret planted in $secret" cat "$secret"
if [ -n "$(find / -xdev -path /proc -prune -o -name demo-secret.txt -print 2>/dev/null | head -n 1)" ]; then
    open "find the planted secret anywhere"
else
    held "find the planted secret anywhere"
fi
try "list your home, $home" sh -c 'ls -A "$1" | grep -q .' sh "$home"
try "read your ssh keys" sh -c 'cat "$1"/.ssh/id_* "$1"/.ssh/config' sh "$home"
try "read the password hashes in /etc/shadow" cat /etc/shadow
try "use the Docker socket" test -e /var/run/docker.sock
try "use your ssh agent" test -n "$SSH_AUTH_SOCK"
try "read a disk device" sh -c 'cat /dev/sd* /dev/vd* /dev/nvme* | head -c 1 | grep -q .'

echo "processes of the host:"
try "see a process of yours (number $process)" sh -c 'grep -q "^sleep" /proc/[0-9]*/cmdline'
if [ -e "/proc/$process" ]; then
    skip "signal process $process: that number is one of the bottle's own"
else
    try "kill a process of yours (number $process)" kill -9 "$process"
fi
try "read the memory of process 1" sh -c 'head -c 1 /proc/1/mem || cat /proc/1/environ | grep -q .'

echo "the network:"
if [ "$tool" = curl ]; then
    case "$(curl -s -m 8 http://example.com/ 2>/dev/null)" in
        *egress.*) held "reach example.com through the proxy: refused, and told why" ;;
        '') skip "reach example.com through the proxy: no answer" ;;
        *) open "reach example.com through the proxy" ;;
    esac
fi
reach "reach 1.1.1.1 directly" 1.1.1.1 80
reach "reach a cloud's metadata service" 169.254.169.254 80
reach "reach a service on your loopback (port $port)" 127.0.0.1 "$port"
if getent hosts localhost >/dev/null 2>&1; then
    try "resolve example.com" getent hosts example.com
else
    skip "resolve example.com: no getent here that works"
fi

echo "the kernel:"
try "mount a file system" mount -t tmpfs none /mnt
if command -v unshare >/dev/null; then try "become root in a new user namespace and mount" unshare -Urm mount -t tmpfs none /mnt; fi
try "change a kernel setting" sh -c 'echo core >/proc/sys/kernel/core_pattern'
try "read the kernel's log" sh -c 'head -c 1 /dev/kmsg || dmesg'
if (echo x >/usr/bot-bottle-demo) 2>/dev/null; then
    held "change the host's /usr: the write stays in the bottle"
else
    held "change the host's /usr"
fi

exit "$opened"
