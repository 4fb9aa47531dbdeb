use std::io::Read;
use std::path::Path;

use owner::NotOurs;
use policy::Shown;

use super::{Folder, FolderError, SourceFile};
use crate::Diagnostic;
use crate::diagnostic::shown_path;

/// Largest manifest file, in bytes. Larger ones are refused before they are read.
pub(crate) const MAX_FILE: u64 = 1 << 20;

/// Reads a file that the person named.
pub(crate) fn read_named(path: &Path) -> Result<SourceFile, Box<Diagnostic>> {
    let cannot = |why: String| {
        Box::new(Diagnostic::new(format!("cannot use {}: {why}", shown_path(path))).help("name a file that you can read"))
    };
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| cannot("it names no file".to_owned()))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match Folder::open_named(folder) {
        Ok(Some(mut opened)) => {
            // Shown as the person wrote it.
            opened.path = path.parent().unwrap_or(folder).to_owned();
            read(&opened, name)
        }
        Ok(None) => Err(cannot(format!("the folder {} does not exist", shown_path(folder)))),
        Err(error) => Err(cannot(error.to_string())),
    }
}

/// Reads the file `name` of `folder`: at most [`MAX_FILE`] bytes of clean UTF-8.
pub(crate) fn read(folder: &Folder, name: &str) -> Result<SourceFile, Box<Diagnostic>> {
    let path = folder.path.join(name);
    let bytes = bytes(folder, name).map_err(|(message, help)| {
        Diagnostic::new(format!("cannot use {}: {message}", shown_path(&path))).in_file(path.clone()).help_if(help)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => {
            let source = SourceFile::new(path, text);
            match fault(&source) {
                Some(diagnostic) => Err(Box::new(diagnostic)),
                None => Ok(source),
            }
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let source = SourceFile::new(path, String::from_utf8_lossy(error.as_bytes()).into_owned());
            let diagnostic =
                source.diagnostic(at..at + 1, "the file is not UTF-8 text").label("this byte is no part of a UTF-8 character");
            Err(Box::new(diagnostic.help("save the file as UTF-8; `iconv -f latin1 -t utf-8 FILE` converts one from Latin-1")))
        }
    }
}

fn bytes(folder: &Folder, name: &str) -> Result<Vec<u8>, (String, Option<String>)> {
    let file = folder.open_file(Path::new(name)).map_err(|error| {
        let help = match &error {
            FolderError::LeadsOut => {
                Some("a repository's manifests must lie in the repository; replace the link by a copy".to_owned())
            }
            FolderError::NotOurs(why) => Some(own_it(*why)),
            FolderError::NotAFile(_) | FolderError::Io(_) => None,
        };
        (error.to_string(), help)
    })?;
    let io = |error: std::io::Error| (error.to_string(), None);
    let size = file.metadata().map_err(io)?.len();
    if size > MAX_FILE {
        return Err((
            format!("it is {size} bytes long, and at most {MAX_FILE} are read"),
            Some("a manifest is a page of text; put data elsewhere".to_owned()),
        ));
    }
    read_within(file, MAX_FILE).map_err(io)?.ok_or_else(|| (format!("it is longer than {MAX_FILE} bytes"), None))
}

/// What to do about a file or folder of manifests that somebody else could have written.
pub(crate) fn own_it(why: NotOurs) -> String {
    match why {
        NotOurs::Foreign { .. } => "read it, then 'chown' it to yourself, or write your own".to_owned(),
        // Such as /tmp, which nobody must close to others.
        NotOurs::Shared { .. } => "set BOT_BOTTLE_HOME to a folder of your own, such as ~/.bot-bottle".to_owned(),
        NotOurs::Open { .. } => "read it, then run 'chmod go-w' on it".to_owned(),
    }
}

/// Reads to the end, but never more than `limit` bytes and one. `None`: there is more. Files of /proc and growing ones have no
/// size to trust.
fn read_within(reader: impl Read, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The first thing in the text that a manifest may not hold.
fn fault(source: &SourceFile) -> Option<Diagnostic> {
    let text = source.text();
    if text.starts_with('\u{feff}') {
        let diagnostic = source.diagnostic(0..3, "the file begins with a byte order mark");
        return Some(diagnostic.help("save it as UTF-8 without BOM; `sed -i '1s/^\\xef\\xbb\\xbf//' FILE` removes it"));
    }
    // Line ends that differ from one tool to the next hide text from whoever reads with another tool.
    if let Some(at) = text.find('\r') {
        let crlf = text[at..].starts_with("\r\n");
        let what = if crlf { "the file has Windows line ends (CR LF)" } else { "the file holds a carriage return" };
        return Some(
            source
                .diagnostic(at..at + 1, what)
                .label("the first one")
                .help("`sed -i 's/\\r$//' FILE` or `dos2unix FILE` converts it"),
        );
    }
    let (at, c) = text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\t'))?;
    let name =
        if c == '\0' { "a NUL byte".to_owned() } else { format!("the control character {}", Shown(c.encode_utf8(&mut [0; 4]))) };
    Some(source.diagnostic(at..at + c.len_utf8(), format!("the file holds {name}")).help("remove it: a manifest is plain text"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::read_within;

    /// Counts what is read from an endless file.
    struct Endless(u64);

    impl Read for &mut Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'a');
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    #[test]
    fn never_reads_more_than_the_limit_and_one() {
        let mut endless = Endless(0);
        assert_eq!(read_within(&mut endless, 1000).unwrap(), None);
        assert!(endless.0 <= 1001, "{} bytes read", endless.0);
        assert_eq!(read_within(&b"abc"[..], 3).unwrap(), Some(b"abc".to_vec()));
        assert_eq!(read_within(&b"abcd"[..], 3).unwrap(), None);
    }
}
