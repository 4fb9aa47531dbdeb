//! A small program whose verbs show what a bottle does to the programs in it.
//!
//! `probe VERB ARGUMENT…`; paths and arguments are bytes. Each verb is written once against [`System`]: the binary runs it
//! on the real system, the fake bottle runs it in its own process.
//!
//! | verb | does |
//! | --- | --- |
//! | `exit N` | ends with status N |
//! | `die SIGNAL` | sends itself the signal |
//! | `cat` | copies stdin to stdout |
//! | `emit OUT ERR` | writes so many bytes of [`pattern`] 1 to stdout and of pattern 2 to stderr |
//! | `args …` | prints each argument in hex, one on a line |
//! | `env` | prints `NAME=VALUE`, each ended by NUL |
//! | `where` | prints its working folder |
//! | `who` | prints its user and group number |
//! | `hold` | says `ready` and waits until it is killed |
//! | `trap SIGNAL` | says `ready`, waits for the signal, says `caught N` |
//! | `tree [ADDRESS]` | starts a child, a grandchild and a daemon; each says its name on stdout, or on a connection, and holds |
//! | `daemon ADDRESS` | leaves such a daemon behind and ends |
//! | `size` | prints rows and columns of its terminal, and again whenever they change |
//! | `raw` | puts its terminal into raw mode and prints in hex what is typed, until `q` |
//! | `walk PATH` | prints every entry at and below PATH, see [`Walked`] |
//! | `read PATH`, `write PATH` | a file to stdout, stdin to a file |
//! | `mkdir PATH`, `link TARGET PATH`, `fifo PATH`, `chmod OCTAL PATH` | what they say |
//! | `watch PATH` | looks at a folder that is replaced again and again, and complains about any half of one |
//! | `watch-with-gaps PATH` | the same where it may be away for a moment |
//! | `cmdlines` | prints the command line of every process it can see |
//! | `connect ADDRESS TEXT` | sends the text, then prints all that comes back |
//! | `ask ADDRESS HEX` | sends a datagram and prints the answer in hex |

mod digest;
mod files;
mod hex;
mod network;
mod real;
mod streams;
mod system;
mod terminal;
mod tree;
mod walked;

pub use digest::{digest, pattern};
pub use hex::{from_hex, to_hex};
pub use real::main;
pub use system::{Event, Kind, Look, Start, Stream, System, Wire};
pub use walked::Walked;

use std::ffi::{OsStr, OsString};
use std::io;

/// What a verb that went wrong ends with; it says why on stderr.
pub const WENT_WRONG: u8 = 120;

/// Runs the verb that the arguments name; returns the exit status.
pub fn run(system: &mut dyn System) -> u8 {
    let args = system.args();
    match dispatch(system, &args) {
        Ok(status) => status,
        Err(error) => {
            // Nobody may be reading; the status says it too.
            let _unread = system.write(Stream::Stderr, format!("probe: {args:?}: {error}\n").as_bytes());
            WENT_WRONG
        }
    }
}

fn dispatch(system: &mut dyn System, args: &[OsString]) -> io::Result<u8> {
    let (verb, rest) = args.split_first().ok_or_else(|| wrong("no verb"))?;
    let done = match (verb.to_str().unwrap_or_default(), rest) {
        ("exit", [status]) => return number(status),
        ("die", [signal]) => Err(system.die(number(signal)?)),
        ("cat", []) => streams::cat(system),
        ("emit", [out, err]) => streams::emit(system, number(out)?, number(err)?),
        ("args", args) => streams::args(system, args),
        ("env", []) => streams::env(system),
        ("where", []) => streams::folder(system),
        ("who", []) => streams::who(system),
        ("hold", []) => tree::hold(system),
        ("trap", [signal]) => tree::trap(system, number(signal)?),
        ("tree", address) => tree::tree(system, address),
        ("branch", address) => tree::branch(system, address),
        ("announce", [name, address @ ..]) => tree::announce(system, name, address),
        ("daemon", address) => tree::daemon(system, address),
        ("size", []) => terminal::size(system),
        ("raw", []) => terminal::raw(system),
        ("walk", [path]) => files::walk(system, path.as_ref()),
        ("read", [path]) => files::read(system, path.as_ref()),
        ("write", [path]) => files::write(system, path.as_ref()),
        ("mkdir", [path]) => system.make_folder(path.as_ref()),
        ("link", [target, path]) => system.make_link(target.as_ref(), path.as_ref()),
        ("fifo", [path]) => system.make_fifo(path.as_ref()),
        ("chmod", [mode, path]) => files::chmod(system, mode, path.as_ref()),
        ("watch", [path]) => files::watch(system, files::Gaps::None, path.as_ref()),
        ("watch-with-gaps", [path]) => files::watch(system, files::Gaps::Allowed, path.as_ref()),
        ("cmdlines", []) => files::command_lines(system),
        ("connect", [address, text]) => network::connect(system, address, text),
        ("ask", [address, payload]) => network::ask(system, address, payload),
        (verb, _) => Err(wrong(&format!("no verb {verb:?} with so many arguments"))),
    };
    done.map(|()| 0)
}

fn number<T: std::str::FromStr>(text: &OsStr) -> io::Result<T> {
    text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| wrong("not a number"))
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
