//! Takes Rust text apart into code, comments and string literals, so that a rule about one is not misled by the others.

/// A file's text, three times: whatever belongs elsewhere is blank in each, so lines keep their numbers.
pub struct Tokens {
    /// Code without comments and without what strings hold (their quotes stay).
    pub code: String,
    /// Comments alone, doc comments included.
    pub comments: String,
    /// String literals: line (from 1) and content as written, escapes not resolved.
    pub strings: Vec<(usize, String)>,
}

impl Tokens {
    pub fn of(text: &str) -> Self {
        let mut reader =
            Reader { chars: text.chars().collect(), at: 0, code: String::new(), comments: String::new(), strings: Vec::new() };
        while reader.at < reader.chars.len() {
            reader.one();
        }
        Self { code: reader.code, comments: reader.comments, strings: reader.strings }
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    code: String,
    comments: String,
    strings: Vec<(usize, String)>,
}

impl Reader {
    fn one(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while self.at < self.chars.len() && self.peek(0) != '\n' {
                    self.comment(1);
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(0),
            // A raw string, unless it is a raw identifier (`r#type`) or the end of a name (`for"`).
            ('r', '"' | '#') if !self.in_word() => match self.raw_hashes() {
                Some(hashes) => {
                    self.code(1 + hashes);
                    self.raw_string(hashes);
                }
                None => self.code(1),
            },
            ('\'', '\\') => {
                self.code(1);
                self.blank(2);
                while self.at < self.chars.len() && self.peek(0) != '\'' {
                    self.blank(1);
                }
                self.code(1);
            }
            // `'x'` is a character, `'x` a lifetime.
            ('\'', _) if self.peek(2) == '\'' => {
                self.code(1);
                self.blank(1);
                self.code(1);
            }
            _ => self.code(1),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.comment(1);
                    if self.at >= self.chars.len() {
                        return;
                    }
                    continue;
                }
            }
            self.comment(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self, start: usize) {
        let line = self.line();
        self.code(start + 1);
        let mut content = String::new();
        while self.at < self.chars.len() && self.peek(0) != '"' {
            let width = if self.peek(0) == '\\' { 2 } else { 1 };
            content.extend((0..width).map(|ahead| self.peek(ahead)));
            self.blank(width);
        }
        self.code(1);
        self.strings.push((line, content));
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line();
        self.code(1);
        let mut content = String::new();
        let ends = |reader: &Self| reader.peek(0) == '"' && (1..=hashes).all(|ahead| reader.peek(ahead) == '#');
        while self.at < self.chars.len() && !ends(self) {
            content.push(self.peek(0));
            self.blank(1);
        }
        self.code(1 + hashes);
        self.strings.push((line, content));
    }

    /// How many `#` follow this `r`, if a quote follows them.
    fn raw_hashes(&self) -> Option<usize> {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == '#').count();
        (self.peek(1 + hashes) == '"').then_some(hashes)
    }

    fn in_word(&self) -> bool {
        // `br"…"` is a raw string too.
        let before = |back: usize| self.at.checked_sub(back).map_or(' ', |at| self.chars[at]);
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        word(before(1)) && (word(before(2)) || !matches!(before(1), 'b' | 'c'))
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn line(&self) -> usize {
        1 + self.chars[..self.at].iter().filter(|letter| **letter == '\n').count()
    }

    fn code(&mut self, count: usize) {
        self.take(count, |letter| (letter, ' '));
    }

    fn comment(&mut self, count: usize) {
        self.take(count, |letter| (' ', letter));
    }

    fn blank(&mut self, count: usize) {
        self.take(count, |_| (' ', ' '));
    }

    fn take(&mut self, count: usize, side: impl Fn(char) -> (char, char)) {
        for _ in 0..count.min(self.chars.len() - self.at) {
            let letter = self.peek(0);
            let (code, comment) = if letter == '\n' { ('\n', '\n') } else { side(letter) };
            self.code.push(code);
            self.comments.push(comment);
            self.at += 1;
        }
    }
}

#[test]
fn comments_strings_and_code_are_told_apart() {
    let text = "let a = \"x // y\"; // \"z\"\nlet b = r#\"say \"unsafe\"\"#; /* a /* b */ c */ let c = '\"'; fn f<'a>() {}\nlet d = '\\'';";
    let tokens = Tokens::of(text);
    let strings: Vec<_> = tokens.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(strings, [(1, "x // y"), (2, "say \"unsafe\"")]);
    assert!(tokens.comments.contains("// \"z\"") && tokens.comments.contains("a /* b */ c"), "{}", tokens.comments);
    assert!(!tokens.code.contains("unsafe") && tokens.code.contains("fn f<'a>() {}"), "{}", tokens.code);
    assert_eq!(tokens.code.lines().count(), text.lines().count());
}
