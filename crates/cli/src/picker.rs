use std::fs::File;
use std::io::{self, Read as _, Write as _};

use session::terminal::{Mode, size};

/// What the person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// The row with this number.
    Row(usize),
    /// Nothing: Esc.
    Nothing,
    /// Ctrl-C.
    Interrupted,
    /// There is no terminal.
    NoTerminal,
}

/// Most rows shown at once.
const HEIGHT: usize = 10;

/// Lets the person choose one of `rows` (name, remark) on the controlling terminal: arrows move, typing filters, Enter takes.
/// Blocks.
///
/// # Errors
/// When the terminal cannot be used.
pub fn pick(title: &str, rows: &[(String, String)]) -> io::Result<Picked> {
    let Ok(mut terminal) = File::options().read(true).write(true).open("/dev/tty") else { return Ok(Picked::NoTerminal) };
    let _mode = Mode::Keys.enter(&terminal)?;
    let width = usize::from(size(&terminal).columns);
    let mut list = List { rows, filter: String::new(), at: 0 };
    let mut keys = Keys::default();
    loop {
        let (screen, lines) = list.draw(title, width);
        terminal.write_all(screen.as_bytes())?;
        let key = keys.next(&mut terminal)?;
        // Back to the first line, and everything below it away: drawn again or left clean.
        terminal.write_all(format!("\x1b[{}A\r\x1b[J", lines.max(1)).as_bytes())?;
        if let Some(picked) = list.press(key) {
            return Ok(picked);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Up,
    Down,
    Enter,
    Escape,
    Erase,
    Interrupt,
    Text(char),
    Other,
}

struct List<'a> {
    rows: &'a [(String, String)],
    filter: String,
    at: usize,
}

impl List<'_> {
    /// The rows that match: `(number, name, remark)`.
    fn shown(&self) -> Vec<(usize, &str, &str)> {
        let rows = self.rows.iter().enumerate().map(|(number, (name, remark))| (number, name.as_str(), remark.as_str()));
        rows.filter(|(_, name, _)| name.contains(&self.filter)).collect()
    }

    fn press(&mut self, key: Key) -> Option<Picked> {
        let shown = self.shown();
        match key {
            Key::Enter => return shown.get(self.at).map(|(number, ..)| Picked::Row(*number)),
            Key::Escape => return Some(Picked::Nothing),
            Key::Interrupt => return Some(Picked::Interrupted),
            Key::Up => self.at = self.at.saturating_sub(1),
            Key::Down => self.at = (self.at + 1).min(shown.len().saturating_sub(1)),
            Key::Erase => {
                self.filter.pop();
                self.at = 0;
            }
            Key::Text(c) => {
                self.filter.push(c);
                self.at = 0;
            }
            Key::Other => {}
        }
        None
    }

    /// What to write, and how many lines it has.
    fn draw(&self, title: &str, width: usize) -> (String, usize) {
        let shown = self.shown();
        let first = self.at.saturating_sub(HEIGHT - 1);
        let mut lines = vec![format!("{title} {}", self.filter)];
        for (row, (_, name, remark)) in shown.iter().enumerate().skip(first).take(HEIGHT) {
            let mark = if row == self.at { '>' } else { ' ' };
            lines.push(format!("{mark} {name}  {remark}").trim_end().to_owned());
        }
        if shown.is_empty() {
            lines.push("  (nothing matches)".to_owned());
        }
        lines.push(format!("  {} of {}   up/down, type to filter, enter, esc", shown.len(), self.rows.len()));
        let cut = |line: &String| line.chars().take(width.saturating_sub(1)).collect::<String>();
        let screen: String = lines.iter().map(|line| cut(line) + "\r\n").collect();
        (screen, lines.len())
    }
}

/// Bytes of a terminal as keys (ECMA-48 and xterm's cursor keys, in both modes).
#[derive(Default)]
struct Keys {
    waiting: Vec<u8>,
}

impl Keys {
    fn next(&mut self, terminal: &mut File) -> io::Result<Key> {
        if self.waiting.is_empty() {
            let mut buffer = [0; 64];
            let count = terminal.read(&mut buffer)?;
            if count == 0 {
                return Ok(Key::Escape);
            }
            self.waiting.extend_from_slice(&buffer[..count]);
        }
        let (key, used) = decode(&self.waiting);
        self.waiting.drain(..used.min(self.waiting.len()));
        Ok(key)
    }
}

/// The first key and its length. A terminal sends the bytes of one key at once, so an Esc with nothing behind it is the key.
fn decode(bytes: &[u8]) -> (Key, usize) {
    match bytes {
        [0x1b, b'[' | b'O', b'A', ..] => (Key::Up, 3),
        [0x1b, b'[' | b'O', b'B', ..] => (Key::Down, 3),
        [0x1b, b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)).map_or(rest.len(), |end| end + 1);
            (Key::Other, 2 + end)
        }
        [0x1b, ..] => (Key::Escape, bytes.len()),
        [b'\r' | b'\n', ..] => (Key::Enter, 1),
        [0x7f | 0x08, ..] => (Key::Erase, 1),
        [0x03, ..] => (Key::Interrupt, 1),
        [0x10, ..] => (Key::Up, 1),
        [0x0e, ..] => (Key::Down, 1),
        // Names are ASCII: nothing else can filter.
        [byte, ..] if byte.is_ascii_graphic() => (Key::Text(char::from(*byte)), 1),
        _ => (Key::Other, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, List, Picked, decode};

    fn rows() -> Vec<(String, String)> {
        ["fixer", "fuzzer", "writer"].map(|name| (name.to_owned(), "home".to_owned())).to_vec()
    }

    #[test]
    fn typing_filters_and_enter_takes_the_marked_row() {
        let rows = rows();
        let mut list = List { rows: &rows, filter: String::new(), at: 0 };
        assert_eq!(list.press(Key::Down), None);
        assert_eq!(list.press(Key::Text('w')), None);
        assert!(list.draw("agent:", 80).0.contains("> writer  home\r\n"));
        assert_eq!(list.press(Key::Enter), Some(Picked::Row(2)));
        list.press(Key::Text('?'));
        assert_eq!(list.press(Key::Enter), None);
        assert!(list.draw("agent:", 80).0.contains("nothing matches"));
        list.press(Key::Erase);
        list.press(Key::Erase);
        for _ in 0..9 {
            list.press(Key::Down);
        }
        assert_eq!(list.press(Key::Enter), Some(Picked::Row(2)));
    }

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        let rows = vec![("x".repeat(57), "y".repeat(200))];
        let (screen, lines) = List { rows: &rows, filter: String::new(), at: 0 }.draw("agent:", 40);
        assert_eq!(screen.matches("\r\n").count(), lines);
        assert!(screen.lines().all(|line| line.chars().count() < 40));
    }

    #[test]
    fn keys_of_a_terminal() {
        for (bytes, key) in [
            (&b"\x1b[A"[..], (Key::Up, 3)),
            (b"\x1bOB", (Key::Down, 3)),
            (b"\x1b", (Key::Escape, 1)),
            (b"\x1b[3~x", (Key::Other, 4)),
            (b"\x03", (Key::Interrupt, 1)),
            (b"ab", (Key::Text('a'), 1)),
            (b"\xff", (Key::Other, 1)),
        ] {
            assert_eq!(decode(bytes), key, "{bytes:?}");
        }
    }
}
