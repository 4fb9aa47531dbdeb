use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::BOUND;

/// The caller's side of a terminal: somebody who types and reads.
pub struct Screen {
    keyboard: OwnedFd,
    output: UnboundedReceiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Screen {
    /// Reads `terminal` on a thread of its own.
    pub fn new(terminal: OwnedFd) -> Self {
        let keyboard = terminal.try_clone().expect("a second descriptor");
        let (sender, output) = unbounded_channel();
        std::thread::spawn(move || read_all(&terminal, &sender));
        Self { keyboard, output, seen: Vec::new() }
    }

    /// Types.
    pub fn type_in(&self, keys: &[u8]) {
        let mut rest = keys;
        while !rest.is_empty() {
            let keyboard = self.keyboard.as_fd();
            poll(&mut [PollFd::new(&keyboard, PollFlags::OUT)], None).expect("the terminal takes keys");
            match rustix::io::write(keyboard, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => panic!("typing: {error}"),
            }
        }
    }

    /// Waits until `text` has come; returns all that came up to its end, and forgets it.
    pub async fn expect(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.seen.windows(text.len()).position(|window| window == text.as_bytes()) {
                let up_to = self.seen.drain(..at + text.len()).collect::<Vec<_>>();
                return String::from_utf8_lossy(&up_to).into_owned();
            }
            match timeout(BOUND, self.output.recv()).await {
                Ok(Some(bytes)) => self.seen.extend(bytes),
                Ok(None) => panic!("the terminal ended without {text:?}, after {:?}", String::from_utf8_lossy(&self.seen)),
                Err(_) => panic!("no {text:?} within {BOUND:?}, but {:?}", String::from_utf8_lossy(&self.seen)),
            }
        }
    }

    /// Waits for the terminal's end; returns what came before it.
    pub async fn end(&mut self) -> String {
        while let Some(bytes) = timeout(BOUND, self.output.recv()).await.expect("the terminal ends") {
            self.seen.extend(bytes);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned()
    }
}

/// To the end: 0 bytes, or `EIO` when the last program on a pseudo-terminal is gone.
fn read_all(terminal: &OwnedFd, output: &UnboundedSender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    loop {
        if poll(&mut [PollFd::new(terminal, PollFlags::IN)], None).is_err() {
            continue;
        }
        match rustix::io::read(terminal, &mut buffer) {
            Ok(0) => return,
            Ok(count) if output.send(buffer[..count].to_vec()).is_err() => return,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_gone) => return,
        }
    }
}
