//! What is said to the person: always on stderr, so that stdout is data alone.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use rustix::fs::OFlags;

use crate::args::Color;
use crate::failure::Failure;
use crate::voice;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();

/// Sets when messages are coloured; `auto` obeys `NO_COLOR` and looks whether stderr is a terminal.
pub fn set_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// How diagnostics are drawn: as stderr is.
pub fn style() -> manifest::Style {
    match anstream::AutoStream::choice(&io::stderr()) {
        anstream::ColorChoice::Never => manifest::Style::Plain,
        anstream::ColorChoice::Auto | anstream::ColorChoice::AlwaysAnsi | anstream::ColorChoice::Always => {
            manifest::Style::Coloured
        }
    }
}

/// One or more lines as they are.
pub fn say(text: &str) {
    // One write, so that a line stays whole among those of others.
    voice::say(format!("{text}\n"));
}

/// `note: …`
pub fn note(text: &str) {
    labelled(NOTE, "note", text);
}

/// Notes about files, of which a hostile repository may have many.
pub fn notes<'a, N: std::fmt::Display + 'a>(notes: impl IntoIterator<Item = &'a N>) {
    const SHOWN: usize = 12;
    let mut rest = 0;
    for (at, text) in notes.into_iter().enumerate() {
        match at < SHOWN {
            true => note(&text.to_string()),
            false => rest += 1,
        }
    }
    if rest > 0 {
        note(&format!("{rest} more of these"));
    }
}

/// `error: …`, then `hint: …` lines.
pub fn failure(failure: &Failure) {
    let (error, hints) = failure.parts();
    match failure.is_rendered() {
        true => say(error.trim_end()),
        // Several problems are several lines, each an error of its own.
        false => error.lines().for_each(|line| labelled(ERROR, "error", line)),
    }
    for hint in hints {
        labelled(HINT, "hint", hint);
    }
}

fn labelled(style: Style, label: &str, text: &str) {
    say(&format!("{style}{label}:{style:#} {text}"));
}

/// Who reads our stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Somebody, as far as can be told.
    There,
    /// Nobody any more (`| head`): there is no use in writing more.
    Gone,
}

/// Writes data to stdout, whole: the one way for every command. A reader that is gone is no error.
///
/// # Errors
/// When it cannot be written: a script must not take half of the data for all of it.
pub fn data(text: &str) -> Result<Reader, Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// What became of a write to stdout.
///
/// # Errors
/// As [`data`].
pub fn written(outcome: io::Result<()>) -> Result<Reader, Failure> {
    match outcome {
        // The standard library takes the error of a closed descriptor for success.
        Ok(()) if !is_open() => Err(Failure::new("writing to stdout: it is closed")),
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::new(format!("writing to stdout: {error}"))),
    }
}

/// Whether stdout can be written at all; where it is closed, [`backend_native::begin`] has put something in its place that cannot.
fn is_open() -> bool {
    rustix::fs::fcntl_getfl(io::stdout()).is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY)
}

/// Writes a value to stdout as JSON.
///
/// # Errors
/// When it cannot be written as JSON, or not at all.
pub fn json(value: &impl serde::Serialize) -> Result<Reader, Failure> {
    data(&(serde_json::to_string_pretty(value)? + "\n"))
}
