use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::needs::{Needs, find};
use crate::scene::Scene;

/// A machine of a test's own whose network leads to a world of its own: names of the world are servers of the test there, at
/// public addresses.
pub struct Network {
    machine: Namespaces,
    world: Namespaces,
    names: Vec<&'static str>,
}

/// Namespaces that last until the stdin of who holds them ends.
struct Namespaces(Child);

impl Network {
    /// `None`, and a reason, for those who may not make one.
    pub fn of(scene: &Scene, names: &[&'static str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            testkit::require("root", "a network with names of the world is root's to make");
            return None;
        }
        if let Err((component, reason)) = find(Needs::System(&["ip", "unshare", "nsenter"])) {
            testkit::require(component, &reason);
            return None;
        }
        let hosts: String = names.iter().enumerate().map(|(at, name)| format!("{} {name}\n", address(at))).collect();
        let file = scene.path("hosts");
        std::fs::write(&file, format!("127.0.0.1 localhost\n{hosts}")).unwrap();
        let machine = Namespaces::new(&format!("ip link set lo up && mount --bind {} /etc/hosts", file.display()));
        let world = Namespaces::new("ip link set lo up");
        machine.run(&format!("ip link add world type veth peer name machine netns {}", world.0.id()));
        machine.run("ip addr add 93.184.216.2/24 dev world && ip link set world up");
        world.run("ip addr add 93.184.216.1/24 dev machine && ip link set machine up");
        machine.run("ip route add default via 93.184.216.1");
        for at in 0..names.len() {
            world.run(&format!("ip addr add {}/32 dev lo", address(at)));
        }
        Some(Self { machine, world, names: names.to_vec() })
    }

    /// Does something in the world: servers that it starts are servers there.
    pub fn within<T: Send>(&self, done: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(self.world.file("net")).unwrap();
        let there = move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            done()
        };
        std::thread::scope(|scope| scope.spawn(there).join()).unwrap()
    }

    /// Whoever connects to `name` at 443 reaches the server at `to`.
    pub fn lead(&self, name: &str, to: SocketAddr) {
        let at = self.names.iter().position(|known| *known == name).unwrap();
        self.within(|| {
            let listener = TcpListener::bind((address(at), 443)).unwrap();
            std::thread::spawn(move || listener.incoming().flatten().for_each(|client| join(client, to)));
        });
    }

    /// The program that runs others on the machine, and its arguments.
    pub fn entry(&self) -> Vec<String> {
        self.machine.entry()
    }
}

impl Namespaces {
    /// Prepared by lines of a shell.
    fn new(script: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--net", "--", "sh", "-c", &format!("{script} && echo ready && read -r word")]);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(holder)
    }

    fn run(&self, script: &str) {
        let entry = self.entry();
        let status = Command::new(&entry[0]).args(&entry[1..]).args(["sh", "-c", script]).status().unwrap();
        assert!(status.success(), "{script}: {status}");
    }

    fn entry(&self) -> Vec<String> {
        vec!["nsenter".to_owned(), format!("--net={}", self.file("net")), format!("--mount={}", self.file("mnt"))]
    }

    fn file(&self, kind: &str) -> String {
        format!("/proc/{}/ns/{kind}", self.0.id())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn address(at: usize) -> IpAddr {
    Ipv4Addr::new(93, 184, 215, u8::try_from(at + 1).unwrap()).into()
}

fn join(client: TcpStream, to: SocketAddr) {
    let server = TcpStream::connect(to).unwrap();
    for (mut from, mut into) in [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)] {
        std::thread::spawn(move || {
            // Whoever leaves first ends it.
            let _ = std::io::copy(&mut from, &mut into);
            let _ = into.shutdown(std::net::Shutdown::Write);
        });
    }
}
