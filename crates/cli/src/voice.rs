//! Saying things to somebody who may not listen.
//!
//! A terminal that is stopped (Ctrl-S, a closed lid) or a pipe that nobody reads takes no more after a while, and a write to it
//! waits for ever. A session must end all the same when it is told to: what it says is written by a thread that may wait, and is
//! waited for no longer than a moment. What comes late is written as long as the process lives.

use std::collections::VecDeque;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::FileType;

/// How long a line is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

static VOICE: Mutex<Voice> = Mutex::new(Voice { lines: VecDeque::new(), said: 0, asked: 0, is_speaking: false, is_heard: true });
static SAID: Condvar = Condvar::new();

struct Voice {
    lines: VecDeque<String>,
    /// How many lines were written, of how many.
    said: u64,
    asked: u64,
    /// A thread is writing.
    is_speaking: bool,
    /// The last line that was waited for was written in time.
    is_heard: bool,
}

/// Writes a text to stderr, as a whole. Nobody listens when stderr is closed.
pub fn say(text: String) {
    if !may_wait(std::io::stderr()) {
        return write(&text);
    }
    let mut voice = lock();
    voice.lines.push_back(text);
    voice.asked += 1;
    let own = voice.asked;
    if !voice.is_speaking {
        let thread = thread::Builder::new().name("voice".to_owned()).stack_size(64 * 1024).spawn(speak);
        voice.is_speaking = thread.is_ok();
    }
    // Where a line before this one is not heard, this one is not waited for as well.
    let patience = if voice.is_heard { PATIENCE } else { Duration::ZERO };
    let waited = SAID.wait_timeout_while(voice, patience, |voice| voice.is_speaking && voice.said < own);
    let (mut voice, waited) = waited.unwrap_or_else(PoisonError::into_inner);
    voice.is_heard = !waited.timed_out();
}

/// Writes what there is to say, until there is no more.
fn speak() {
    loop {
        let line = {
            let mut voice = lock();
            let line = voice.lines.pop_front();
            voice.is_speaking = line.is_some();
            line
        };
        let Some(line) = line else { return };
        write(&line);
        lock().said += 1;
        SAID.notify_all();
    }
}

fn write(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Whether writing may have to wait for a reader: not to a file, nor to a device that takes everything.
fn may_wait(stream: impl AsFd) -> bool {
    let kind = rustix::fs::fstat(&stream).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match kind {
        Ok(FileType::RegularFile) => false,
        Ok(FileType::CharacterDevice) => rustix::termios::isatty(stream),
        Ok(_) | Err(_) => true,
    }
}

fn lock() -> MutexGuard<'static, Voice> {
    VOICE.lock().unwrap_or_else(PoisonError::into_inner)
}
